"""`mandate serve` as the process that it is, and what it has started."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from mandate.engine.service.access.roles import Role
from tests.organisation import GOOD, Organisation
from tests.service import bearer, with_callers

PATIENCE = 60
DECIDER = bearer(Role.DECIDER)


@dataclass
class Running:
    process: subprocess.Popen[bytes]
    url: str

    def client(self, **more: Any) -> httpx.Client:
        return httpx.Client(base_url=self.url, timeout=PATIENCE, headers=DECIDER, **more)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def served(
    organisation: Organisation, *arguments: str, verify: Any = True, **settings: Any
) -> Iterator[Running]:
    """The organisation's service, as soon as it is ready."""
    port = free_port()
    with_callers(organisation, listen=f"127.0.0.1:{port}", **settings)
    scheme = "https" if "tls" in settings else "http"
    command = _started(organisation, f"{scheme}://127.0.0.1:{port}", "serve.log", arguments, verify=verify)
    with command as running:
        yield running


@contextmanager
def replica(organisation: Organisation, *arguments: str) -> Iterator[Running]:
    """Another process that serves the organisation, whose service runs already, at an address of its own."""
    port = free_port()
    address = ("--set", f"service.listen=127.0.0.1:{port}")
    with _started(organisation, f"http://127.0.0.1:{port}", "replica.log", (*arguments, *address)) as running:
        yield running


@contextmanager
def _started(
    organisation: Organisation, url: str, log_name: str, arguments: Sequence[str], *, verify: Any = True
) -> Iterator[Running]:
    log = organisation.folder / log_name
    with log.open("ab") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "mandate", "serve", *arguments], cwd=organisation.folder, stderr=file
        )
    running = Running(process, url)
    try:
        with running.client(verify=verify) as client:
            eventually(lambda: client.get("/readyz").status_code == 200, log)
        yield running
    finally:
        process.kill()
        process.wait()


def eventually(holds: Callable[[], bool], log: Path | None = None) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        with suppress(httpx.TransportError):
            if holds():
                return
        time.sleep(0.05)
    raise AssertionError(log.read_text() if log else "it never came")


def decide(client: httpx.Client) -> httpx.Response:
    return client.post("/v1/decisions", json={"input": GOOD})


def allowed(organisation: Organisation) -> list[str]:
    """The ids of all allows on record."""
    found = organisation.mandate("ledger", "query", "--outcome", "allow", "--all", "--output", "json")
    return [entry["id"] for entry in found.json["entries"]]


def children_of(pid: int) -> list[int]:
    return started_by(Path(f"/proc/{pid}/task/{pid}"))


def started_by(task: Path) -> list[int]:
    return [int(child) for child in (task / "children").read_text().split()]


def descendants(pid: int) -> list[int]:
    children = [child for task in Path(f"/proc/{pid}/task").iterdir() for child in started_by(task)]
    return [*children, *(below for child in children for below in descendants(child))]


def program(pid: int) -> str:
    return Path(f"/proc/{pid}/exe").readlink().name
