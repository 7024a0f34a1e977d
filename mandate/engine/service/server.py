"""Runs the application in uvicorn, on a socket that is there already, with TLS or without."""

from __future__ import annotations

import signal
import socket
from typing import Any, cast

import uvicorn

from .certificates import Certificates
from .protocol import Protocol, patient
from .settings import ServiceSettings

_KEEP_ALIVE_SECONDS = 120
"""Longer than clients keep connections: with less, the API server met closed ones in 2 % of its calls."""


def run(
    application: Any, settings: ServiceSettings, certificates: Certificates | None, listening: socket.socket
) -> None:
    """Serve until a signal ends it; what was begun by then is answered."""
    running = server(application, settings, certificates)
    # Uvicorn listens to signals a moment later than it could get one, and raises the one that ended it once
    # more: neither is lost, nor a failure.
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, running.handle_exit)
    running.run(sockets=[listening])


def server(application: Any, settings: ServiceSettings, certificates: Certificates | None) -> uvicorn.Server:
    """The server, not yet running."""
    config = uvicorn.Config(
        application,
        http=patient(settings.limits.seconds, certificates),
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.proxies),
        forwarded_allow_ips=list(settings.proxies) or None,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=int(grace(settings)),
    )
    config.load()
    if certificates is None:
        return uvicorn.Server(config)
    config.ssl = certificates.context
    return _Trusting(config, certificates)


class _Trusting(uvicorn.Server):
    """A server whose clients are known by certificates: it ends connections of those that count no longer."""

    def __init__(self, config: uvicorn.Config, certificates: Certificates) -> None:
        super().__init__(config)
        self._certificates = certificates
        self._authorities = certificates.authorities

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second, in the loop in which the connections live."""
        if self._authorities is not self._certificates.authorities:
            self._authorities = self._certificates.authorities
            for connection in cast("list[Protocol]", [*self.server_state.connections]):
                connection.look()
        return await super().on_tick(counter)


def grace(settings: ServiceSettings) -> float:
    """Seconds to end in: a request that was taken may take as long as the deadline allows."""
    return settings.limits.seconds + 5
