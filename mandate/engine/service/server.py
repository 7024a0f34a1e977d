"""Runs the application in uvicorn, on a socket that is there already, with TLS or without."""

from __future__ import annotations

import signal
import socket
from typing import Any

import uvicorn

from .certificates import Certificates
from .protocol import patient
from .settings import ServiceSettings

_KEEP_ALIVE_SECONDS = 120
"""Longer than clients keep connections: with less, the API server met closed ones in 2 % of its calls."""


def run(
    application: Any, settings: ServiceSettings, certificates: Certificates | None, listening: socket.socket
) -> None:
    """Serve until a signal ends it; what was begun by then is answered."""
    # Uvicorn raises the signal once more when it has ended: that this was asked for is no failure.
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda _number, _frame: None)
    server(application, settings, certificates).run(sockets=[listening])


def server(application: Any, settings: ServiceSettings, certificates: Certificates | None) -> uvicorn.Server:
    """The server, not yet running."""
    config = uvicorn.Config(
        application,
        http=patient(settings.limits.seconds),
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
    if certificates is not None:
        config.ssl = certificates.context
    return uvicorn.Server(config)


def grace(settings: ServiceSettings) -> float:
    """Seconds to end in: a request that was taken may take as long as the deadline allows."""
    return settings.limits.seconds + 5
