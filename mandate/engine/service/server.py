"""Runs the application in uvicorn, on a socket that is there already, with TLS or without."""

from __future__ import annotations

import signal
import socket
import ssl
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from .certificates import Certificates
from .settings import ServiceSettings

_KEEP_ALIVE_SECONDS = 120
"""Longer than clients keep connections: with less, the API server met closed ones in 2 % of its calls."""


class _Protocol(HttpToolsProtocol):
    """Tells the application whose client certificate was verified (the `tls` extension of ASGI)."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if (subject := _subject(self.transport)) is not None:
            self.scope["extensions"] = {"tls": {"client_cert_name": subject}}


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
        http=_Protocol,
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


def _subject(transport: Any) -> str | None:
    """The subject of the verified client certificate as RFC 4514 writes it."""
    session: ssl.SSLObject | None = transport.get_extra_info("ssl_object")
    der = None if session is None else session.getpeercert(binary_form=True)
    if not der:
        return None
    from cryptography.x509 import load_der_x509_certificate

    return load_der_x509_certificate(der).subject.rfc4514_string()
