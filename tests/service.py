"""A service of an organisation, in a thread: the real application and server, a real OPA, a real ledger."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from mandate.engine import configuration
from mandate.engine.service import processes, server
from mandate.engine.service.access import tokens
from mandate.engine.service.access.roles import Role
from mandate.engine.service.application import application
from mandate.engine.service.certificates import Certificates
from mandate.serving import Service
from tests.organisation import Organisation, founded

TOKENS = {role: tokens.new() for role in Role}
"""A caller of each role, who is named after it, and its token with the hash."""


@dataclass(frozen=True)
class Serving:
    """A running service."""

    organisation: Organisation
    client: httpx.Client
    certificates: Certificates | None = None
    """Of a service with TLS. Nobody looks after their files but the test."""

    def call(
        self, method: str, path: str, *, role: Role | None = Role.DECIDER, **more: Any
    ) -> httpx.Response:
        """A request by the caller of this role; by nobody for `None`."""
        headers = {} if role is None else bearer(role)
        return self.client.request(method, path, headers={**headers, **more.pop("headers", {})}, **more)

    def decide(self, document: Any, *, query: str = "", **headers: str) -> httpx.Response:
        """Ask about an input document."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.call("POST", f"/v1/decisions{query}", json={"input": document}, headers=named)


def bearer(role: Role) -> dict[str, str]:
    """The header that the caller of this role sends."""
    return {"Authorization": f"Bearer {TOKENS[role][0]}"}


def list_callers(organisation: Organisation) -> None:
    """Let the organisation's service know a caller for each role."""
    callers = [
        {
            "name": role.value,
            "roles": [role.value],
            "token_sha256": [sha256],
            "certificate": f"CN={role.value}",
        }
        for role, (_, sha256) in TOKENS.items()
    ]
    (organisation.folder / "callers.yaml").write_text(json.dumps(callers))


def with_callers(organisation: Organisation, **settings: Any) -> Organisation:
    """The organisation with a caller for each role, and settings of the service."""
    list_callers(organisation)
    with (organisation.folder / "mandate.yaml").open("a") as file:
        file.write(f"\nservice: {json.dumps(settings)}\n")
    return organisation


CA = "ca.pem"
TLS = {"certificate": "server.crt", "key": "server.key", "client_ca": CA}
"""Settings of a service whose authority wrote these files into its folder."""


def context(ca: Path, certificate: tuple[Path, Path] | None = None) -> ssl.SSLContext:
    """What a client of a service with `TLS` has: the authority, and a certificate of its own."""
    made = ssl.create_default_context(cafile=str(ca))
    if certificate is not None:
        made.load_cert_chain(*certificate)
    return made


@contextmanager
def serving(
    folder: Path, prepare: Callable[[Organisation], None] | None = None, **settings: Any
) -> Iterator[Serving]:
    """A new organisation that accepts what is reported, and its service; `prepare` comes before that."""
    organisation = with_callers(founded(folder, trusting=True), **settings)
    if prepare is not None:
        prepare(organisation)
    with answering(organisation) as running:
        yield running


@contextmanager
def answering(organisation: Organisation) -> Iterator[Serving]:
    """The service of an organisation that has all that it needs."""
    folder = organisation.folder
    configured = configuration.load(folder / "mandate.yaml", environment={})
    parts = Service(configured).parts()
    listening = processes.bound("127.0.0.1:0")
    tls = parts.settings.tls
    certificates = Certificates(folder / tls.certificate, folder / tls.key, folder / CA) if tls else None
    running = server.server(application(parts), parts.settings, certificates)
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listening]})
    with parts.open():
        thread.start()
        try:
            host, port = listening.getsockname()
            url = f"{'http' if tls is None else 'https'}://{host}:{port}"
            with httpx.Client(base_url=url, timeout=60, verify=tls is None or context(folder / CA)) as client:
                yield Serving(organisation, client, certificates)
        finally:
            running.should_exit = True
            thread.join()
            listening.close()
