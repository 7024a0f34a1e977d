"""`mandate serve` as the process that it is: signals, certificates, several processes, an OPA lost."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from mandate.engine.service.access.roles import Role
from tests.authority import Authority
from tests.organisation import GOOD, Organisation, founded
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
    log = organisation.folder / "serve.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "mandate", "serve", *arguments], cwd=organisation.folder, stderr=file
        )
    running = Running(process, f"{scheme}://127.0.0.1:{port}")
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


def test_a_signal_ends_it_after_what_was_begun_is_answered(tmp_path: Path) -> None:
    organisation = founded(tmp_path, trusting=True)
    answers: list[httpx.Response] = []
    with served(organisation) as running, running.client() as client:

        def ask() -> None:
            # A connection that was kept may be closed under a request that nobody began: what is on record
            # afterwards says which were begun.
            with suppress(httpx.TransportError):
                while True:
                    answers.append(decide(client))

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        eventually(lambda: len(answers) > 8)
        assert running.stop() == 0
        for thread in threads:
            thread.join()
    assert {answer.status_code for answer in answers} == {200}
    recorded = allowed(organisation)
    assert sorted(recorded) == sorted(answer.json()["id"] for answer in answers)
    assert organisation.mandate("ledger", "verify").exit_code == 0


def test_several_processes_share_a_socket_and_never_fork_the_log(tmp_path: Path) -> None:
    organisation = founded(tmp_path, trusting=True)
    with served(organisation, "--workers", "2") as running:
        ids: list[str] = []

        def ask() -> None:
            for _ in range(8):
                # A connection of its own: any of the processes takes it, and one of them is killed.
                with running.client() as client, suppress(httpx.TransportError):
                    ids.append(decide(client).json()["id"])

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        children = children_of(running.process.pid)
        assert len(children) == 2
        os.kill(children[0], signal.SIGKILL)  # another takes its place
        eventually(lambda: len(set(children_of(running.process.pid)) - {children[0]}) == 2)
        for thread in threads:
            thread.join()
        with running.client() as client:
            assert decide(client).status_code == 200
        assert running.stop() == 0
    assert len(set(ids)) == len(ids) > 24
    assert set(ids) <= set(allowed(organisation))
    assert organisation.mandate("ledger", "verify").exit_code == 0


def allowed(organisation: Organisation) -> list[str]:
    """The ids of all allows on record."""
    found = organisation.mandate("ledger", "query", "--outcome", "allow", "--all", "--output", "json")
    return [entry["id"] for entry in found.json["entries"]]


def children_of(pid: int) -> list[int]:
    return started_by(Path(f"/proc/{pid}/task/{pid}"))


def started_by(task: Path) -> list[int]:
    return [int(child) for child in (task / "children").read_text().split()]


def test_an_opa_that_is_killed_is_undecided_on_record_and_not_ready(tmp_path: Path) -> None:
    organisation = founded(tmp_path, trusting=True)
    with served(organisation) as running, running.client() as client:
        assert decide(client).json()["outcome"] == "allow"
        (opa,) = (pid for pid in descendants(running.process.pid) if "opa" in program(pid))
        os.kill(opa, signal.SIGKILL)
        eventually(lambda: client.get("/readyz").status_code == 503)
        response = decide(client)
        assert (response.status_code, response.json()["outcome"]) == (503, "undecided")
        assert organisation.entries()[-1]["outcome"] == "undecided"


def descendants(pid: int) -> list[int]:
    children = [child for task in Path(f"/proc/{pid}/task").iterdir() for child in started_by(task)]
    return [*children, *(below for child in children for below in descendants(child))]


def program(pid: int) -> str:
    return Path(f"/proc/{pid}/exe").readlink().name


def test_a_ledger_that_takes_nothing_is_undecided_and_not_ready(tmp_path: Path) -> None:
    import sqlite3

    organisation = founded(tmp_path, trusting=True)
    with served(organisation) as running, running.client() as client:
        locked = sqlite3.connect(tmp_path / ".mandate/ledger.db", isolation_level=None)
        locked.execute("BEGIN IMMEDIATE")
        response = decide(client)
        assert (response.status_code, response.json()["outcome"]) == (503, "undecided")
        assert response.json()["ledger"] is None
        locked.execute("ROLLBACK")
        locked.close()
        eventually(lambda: client.get("/readyz").status_code == 200)
        assert decide(client).status_code == 200


def test_certificates_change_without_a_restart_and_a_bad_one_changes_nothing(tmp_path: Path) -> None:
    organisation = founded(tmp_path, trusting=True)
    authority = Authority("authority")
    authority.issue(tmp_path, "server")
    trusted = ssl.create_default_context(cafile=str(authority.write(tmp_path / "ca.pem")))
    tls = {"certificate": "server.crt", "key": "server.key"}
    with served(organisation, verify=trusted, tls=tls) as running:
        address = ("127.0.0.1", int(running.url.rpartition(":")[2]))

        def shown() -> bytes:
            with (
                socket.create_connection(address) as plain,
                trusted.wrap_socket(plain, server_hostname="localhost") as session,
            ):
                return session.getpeercert(binary_form=True) or b""

        first = shown()
        (tmp_path / "server.key").write_text("no key")
        time.sleep(1.5)
        assert shown() == first
        authority.issue(tmp_path, "server", days=30)
        eventually(lambda: shown() != first)
        with running.client(verify=trusted) as client:
            expires = next(
                float(line.split()[1])
                for line in client.get("/metrics").text.splitlines()
                if line.startswith("mandate_certificate_expires_seconds ")
            )
        assert expires > time.time() + 20 * 86400
        with pytest.raises(httpx.ConnectError), httpx.Client(base_url=running.url) as stranger:
            stranger.get("/healthz")


def test_a_client_certificate_says_who_calls(tmp_path: Path) -> None:
    organisation = founded(tmp_path, trusting=True)
    authority = Authority("authority")
    authority.issue(tmp_path, "server")
    known, other = authority.issue(tmp_path, "robot"), authority.issue(tmp_path, "nobody")
    forged = Authority("authority").issue(tmp_path, "forged")
    cafile = str(authority.write(tmp_path / "ca.pem"))
    tls = {"certificate": "server.crt", "key": "server.key", "client_ca": "ca.pem"}
    trusted = ssl.create_default_context(cafile=cafile)
    with served(organisation, verify=trusted, tls=tls) as running:
        (tmp_path / "callers.yaml").write_text("- {name: robot, roles: [decider], certificate: CN=robot}\n")

        def asked(pair: tuple[Path, Path] | None) -> int:
            context = ssl.create_default_context(cafile=cafile)
            if pair is not None:
                context.load_cert_chain(*pair)
            with httpx.Client(base_url=running.url, verify=context, timeout=PATIENCE) as client:
                return decide(client).status_code

        assert (asked(known), asked(other), asked(None)) == (200, 401, 401)
        with pytest.raises(httpx.TransportError):
            asked(forged)
        assert organisation.entries()[-1]["people"][0] != "decider"


def test_settings_that_cannot_be_used_are_said_before_anything_runs(tmp_path: Path) -> None:
    organisation = with_callers(founded(tmp_path), listen="127.0.0.1:1", tls={"certificate": "a", "key": "b"})
    ran = organisation.mandate("serve")
    assert (ran.exit_code, "the certificate cannot be used" in ran.err) == (2, True)
    (tmp_path / "callers.yaml").unlink()
    ran = organisation.mandate("serve")
    assert (ran.exit_code, "callers.yaml" in ran.err) == (2, True)
