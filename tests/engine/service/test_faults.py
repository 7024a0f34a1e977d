"""What goes wrong around the service, while decisions are made over HTTP by real processes.

Whatever it is: nobody is allowed anything that is not on record, no answer is an internal error, each is a
decision or a problem, and the service recovers by itself.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from tests.engine.service.sidecar import Sidecar
from tests.organisation import GOOD, Organisation, founded
from tests.postgresql import Server
from tests.served import Running, children_of, decide, descendants, eventually, program, replica, served

LIMITS = {"seconds": 3.0}
QUICK = ("--set", "opa.timeout=1")
DENIED = {name: value for name, value in GOOD.items() if name != "performance"}


@dataclass
class Load:
    """Decisions that are asked for without a pause, from several sides, and their answers."""

    answers: list[httpx.Response] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    """Why questions had no answer."""

    def recent(self, count: int = 6) -> set[str]:
        """The outcomes of the last answers."""
        return {answer.json().get("outcome", "problem") for answer in self.answers[-count:]}

    def is_sound(self, organisation: Organisation) -> None:
        """No answer is an internal error, and what was decided is on record as it was answered."""
        assert {answer.status_code for answer in self.answers} <= {200, 503}
        assert all("json" in answer.headers["Content-Type"] for answer in self.answers)
        query = ("ledger", "query", "--kind", "decision", "--all", "--output", "json")
        entries = organisation.mandate(*query).json["entries"]
        outcomes = {entry["id"]: entry["outcome"] for entry in entries}
        for answer in self.answers:
            said = answer.json()
            if answer.status_code == 200:
                assert outcomes[said["id"]] == said["outcome"]
            else:
                assert said.get("outcome", "undecided") == "undecided"
        assert organisation.mandate("ledger", "verify").exit_code == 0


@contextmanager
def load(*clients: Callable[[], httpx.Client], sides: int = 3) -> Iterator[Load]:
    found = Load()
    ended = threading.Event()

    def ask(make: Callable[[], httpx.Client], number: int) -> None:
        while not ended.is_set():
            with make() as client:
                try:
                    while not ended.is_set():
                        document = GOOD if number % 3 else DENIED
                        found.answers.append(client.post("/v1/decisions", json={"input": document}))
                        number += 1
                except httpx.TransportError as error:
                    found.lost.append(repr(error))

    threads = [
        threading.Thread(target=ask, args=(clients[number % len(clients)], number)) for number in range(sides)
    ]
    for thread in threads:
        thread.start()
    try:
        yield found
    finally:
        ended.set()
        for thread in threads:
            thread.join()


@dataclass(frozen=True)
class Shared:
    organisation: Organisation
    running: Running

    def client(self) -> httpx.Client:
        return self.running.client()

    @property
    def port(self) -> int:
        return int(self.running.url.rpartition(":")[2])

    @property
    def opas(self) -> list[int]:
        """The process ids of its OPAs: one, but while another takes its place."""
        found = []
        for pid in descendants(self.running.process.pid):
            with suppress(OSError):  # it ended
                if "opa" in program(pid):
                    found.append(pid)
        return found


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    """A service that each of these tests harms, and that recovers each time."""
    organisation = founded(tmp_path_factory.mktemp("faults"), trusting=True)
    with served(organisation, *QUICK, limits=LIMITS) as running:
        yield Shared(organisation, running)
        with running.client() as client:
            assert decide(client).json()["outcome"] == "allow"


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP], ids=lambda how: how.name)
def test_an_opa_that_is_lost_leaves_all_undecided_until_another_takes_its_place(
    shared: Shared, how: signal.Signals
) -> None:
    with load(shared.client) as found:
        eventually(lambda: "allow" in found.recent())
        (before,) = shared.opas
        os.kill(before, how)
        eventually(lambda: "undecided" in found.recent())
        eventually(lambda: found.recent(3) <= {"allow", "deny"} and before not in shared.opas)
    found.is_sound(shared.organisation)
    assert found.lost == []
    with shared.client() as client:
        eventually(lambda: client.get("/readyz").text == "ready\n")
    eventually(lambda: not Path(f"/proc/{before}").exists())


def test_a_ledger_that_is_locked_allows_nothing(shared: Shared) -> None:
    with load(shared.client) as found:
        eventually(lambda: "allow" in found.recent())
        locked = sqlite3.connect(shared.organisation.folder / ".mandate/ledger.db", isolation_level=None)
        locked.execute("BEGIN IMMEDIATE")
        with shared.client() as client:
            began = time.monotonic()
            response = decide(client)
            assert (response.status_code, "allow" in response.text) == (503, False)
            assert client.get("/readyz").status_code == 503
            assert time.monotonic() - began < 3 * (LIMITS["seconds"] + 2)
        locked.execute("ROLLBACK")
        locked.close()
        eventually(lambda: found.recent() == {"allow", "deny"})
    found.is_sound(shared.organisation)
    assert found.lost == []


def test_a_ledger_on_a_full_disk_allows_nothing(shared: Shared) -> None:
    pid = shared.running.process.pid
    wal = shared.organisation.folder / ".mandate/ledger.db-wal"
    unlimited = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    with load(shared.client) as found:
        eventually(lambda: "allow" in found.recent())
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (wal.stat().st_size if wal.exists() else 4096, -1))
        try:
            eventually(lambda: found.recent() == {"undecided"})
        finally:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, unlimited)
        eventually(lambda: found.recent() == {"allow", "deny"})
    found.is_sound(shared.organisation)
    assert found.lost == []


def test_a_request_that_does_not_arrive_is_sent_away_and_keeps_nobody_from_being_served(
    shared: Shared,
) -> None:
    address = ("127.0.0.1", shared.port)
    token = shared.client().headers["Authorization"]
    head = f"POST /v1/decisions HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\n"
    announced = f"{head}Content-Type: application/json\r\nContent-Length: 5000\r\n\r\n{{"
    slow = {"a path": head[:15], "a header": head + "X-A: ", "a body": announced}
    with ExitStack() as stack:
        sockets = {}
        for what, sent in slow.items():
            for _ in range(20):
                sockets[what] = stack.enter_context(socket.create_connection(address, timeout=20))
                sockets[what].sendall(sent.encode())
        began = time.monotonic()
        with shared.client() as client:
            assert decide(client).json()["outcome"] == "allow"
        assert time.monotonic() - began < LIMITS["seconds"]
        said = {what: dribbled(each, began + 30) for what, each in sockets.items()}
    assert 2 < time.monotonic() - began < 29
    statuses = {what: each.split(b"\r\n")[0] for what, each in said.items()}
    assert statuses == dict.fromkeys(slow, b"HTTP/1.1 408 Request Timeout")
    assert all(b"application/problem+json" in each for each in said.values())


def dribbled(connection: socket.socket, end: float) -> bytes:
    """All that comes while a byte goes out now and then."""
    said = b""
    connection.settimeout(0.3)
    while time.monotonic() < end:
        try:
            piece = connection.recv(65536)
        except TimeoutError:
            with suppress(OSError):
                connection.sendall(b"a")
            continue
        except ConnectionError:
            break
        if not piece:
            break
        said += piece
    return said


def test_an_answer_that_nobody_reads_is_given_up(shared: Shared) -> None:
    address = ("127.0.0.1", shared.port)
    with socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.connect(address)
        deaf.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 400)
        time.sleep(LIMITS["seconds"] + 1)
        deaf.settimeout(10)
        read = 0
        with suppress(ConnectionError):
            while piece := deaf.recv(1 << 16):
                read += len(piece)
    with shared.client() as client:
        assert read < 200 * len(client.get("/openapi.json").content)
        assert decide(client).json()["outcome"] == "allow"
    assert "an internal error" not in (shared.organisation.folder / "serve.log").read_text()


def test_what_is_no_http_is_answered_with_a_problem(shared: Shared) -> None:
    address = ("127.0.0.1", shared.port)
    for sent in (b"hello\r\n\r\n", b"GET / HTTP/1.1\r\nX: a\x1b[31m\r\n\r\n", b"\x16\x03\x01\x02\x00\x01"):
        with socket.create_connection(address, timeout=10) as connection:
            connection.sendall(sent)
            said = b"".join(iter(lambda: connection.recv(65536), b""))
        head, _, body = said.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/problem+json\r\n")
        assert json.loads(body)["status"] == 400
    log = (shared.organisation.folder / "serve.log").read_text()
    assert "\x1b" not in log
    assert all(json.loads(line) for line in log.splitlines())


def test_a_client_that_goes_away_in_the_midst_of_its_body_is_no_internal_error(shared: Shared) -> None:
    address = ("127.0.0.1", shared.port)
    token = shared.client().headers["Authorization"]
    head = f"POST /v1/decisions HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\n"
    sent = f"{head}Content-Type: application/json\r\nContent-Length: 5000\r\nX-Request-ID: gone\r\n\r\n{{"
    with socket.create_connection(address) as connection:
        connection.sendall(sent.encode())
        time.sleep(0.2)
    log = shared.organisation.folder / "serve.log"
    eventually(lambda: '"gone"' in log.read_text())
    said = [json.loads(line) for line in log.read_text().splitlines() if '"gone"' in line]
    assert [(line["message"], line["status"]) for line in said] == [("answered", 400)]


GARBAGE: Mapping[str, bytes] = {
    "nothing": b"",
    "no HTTP": b"hello\n",
    "an allow without its bundle": b'{"result": {"outcome": "allow", "findings": []}}',
    "an allow of others": b'{"result": {"outcome": "allow"}, "provenance": {"version": "1.22.2", '
    b'"bundles": {"mandate": {"revision": "sha256:00"}}}}',
    "no object": b"[]",
    "half of one": b'{"result": {"outc',
    "no JSON": b"<html>",
}


@pytest.fixture(scope="module")
def beside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Shared, Sidecar, Path]]:
    """A service with a sidecar, and the bundle that the sidecar has to load."""
    organisation = founded(tmp_path_factory.mktemp("beside"), trusting=True)
    assert organisation.check(GOOD).exit_code == 0
    revision = organisation.entries()[-1]["revision"]
    bundle = organisation.folder / ".mandate/policies" / f"{revision.removeprefix('sha256:')}.tar.gz"
    sidecar = Sidecar()
    organisation.asks(sidecar.url)
    sidecar.start(bundle)
    with served(organisation, *QUICK, limits=LIMITS) as running:
        yield Shared(organisation, running), sidecar, bundle
    sidecar.remove()


@pytest.mark.parametrize("what", GARBAGE)
def test_garbage_in_opas_place_is_undecided_until_opa_is_back(
    beside: tuple[Shared, Sidecar, Path], what: str
) -> None:
    shared, sidecar, bundle = beside
    sidecar.stop()
    body = GARBAGE[what]
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
    said = body if what in ("nothing", "no HTTP") else head + body
    with sidecar.played(said), shared.client() as client:
        response = decide(client)
        assert (response.status_code, response.json()["outcome"]) == (503, "undecided")
        assert client.get("/readyz").status_code == 503
        assert shared.organisation.entries()[-1]["outcome"] == "undecided"
    sidecar.start(bundle)
    with shared.client() as client:
        eventually(lambda: decide(client).json()["outcome"] == "allow")


def test_an_opa_that_is_slow_is_undecided_within_the_deadline(
    beside: tuple[Shared, Sidecar, Path],
) -> None:
    shared, sidecar, bundle = beside
    sidecar.stop()
    with sidecar.played(None), shared.client() as client:
        began = time.monotonic()
        response = decide(client)
        assert (response.status_code, response.json()["outcome"]) == (503, "undecided")
        assert 0.9 < time.monotonic() - began < 10
    sidecar.start(bundle)
    with shared.client() as client:
        eventually(lambda: decide(client).json()["outcome"] == "allow")


def test_replicas_on_one_postgresql_that_crashes_under_load_fork_no_log_and_lose_nothing(
    tmp_path: Path,
) -> None:
    server = Server.make()
    with ExitStack() as stack:
        stack.callback(server.remove)
        url = stack.enter_context(server.database())
        organisation = with_postgresql(tmp_path, url)
        replicas = [
            stack.enter_context(served(organisation, *QUICK, "--workers", "2", limits=LIMITS)),
            stack.enter_context(replica(organisation, *QUICK)),
        ]
        with load(*(each.client for each in replicas), sides=6) as found:
            eventually(lambda: len(found.answers) > 20)
            server.stop(signal.SIGQUIT)
            eventually(lambda: found.recent() == {"undecided"})
            server.start()
            eventually(lambda: found.recent(12) == {"allow", "deny"})
            killed = children_of(replicas[0].process.pid)[0]
            os.kill(killed, signal.SIGKILL)
            count = len(found.answers)
            eventually(lambda: len(found.answers) > count + 20)
        for each in replicas:
            assert each.stop() == 0
        found.is_sound(organisation)


def with_postgresql(folder: Path, url: str) -> Organisation:
    organisation = founded(folder, trusting=True)
    assert organisation.mandate("ledger", "create", "--url", url).exit_code == 0
    file = folder / "mandate.yaml"
    file.write_text(file.read_text().replace("  path: .mandate/ledger.db\n", f"  url: {url}\n"))
    return organisation


def test_a_stop_under_load_loses_no_answer_that_was_begun(tmp_path: Path) -> None:
    organisation = founded(tmp_path, trusting=True)
    answers: list[httpx.Response] = []
    begun: list[BaseException] = []

    with served(organisation, "--workers", "2") as running:

        def ask() -> None:
            # Each on a connection of its own, as whoever routes requests sends them elsewhere by then.
            while True:
                try:
                    with running.client() as client:
                        answers.append(decide(client))
                except httpx.ConnectError:
                    return
                except httpx.TransportError as error:
                    begun.append(error)
                    return

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        eventually(lambda: len(answers) > 12)
        assert running.stop() == 0
        for thread in threads:
            thread.join()
    assert {answer.status_code for answer in answers} == {200}
    query = ("ledger", "query", "--outcome", "allow", "--all", "--output", "json")
    recorded = {entry["id"] for entry in organisation.mandate(*query).json["entries"]}
    assert recorded == {answer.json()["id"] for answer in answers}


def test_a_collecting_worker_that_is_killed_is_undecided_and_another_takes_its_place(
    tmp_path: Path,
) -> None:
    organisation = founded(tmp_path, trusting=True)
    question = {"subject": "models:/nobody/1", "action": "promote", "environment": "production"}
    with served(organisation, collect={"workers": 1}) as running, running.client() as client:
        answers: list[httpx.Response] = []
        thread = threading.Thread(target=lambda: answers.append(client.post("/v1/decisions", json=question)))
        thread.start()
        eventually(lambda: collecting(running) != [])
        os.kill(collecting(running)[0], signal.SIGKILL)
        thread.join()
        (answer,) = answers
        assert (answer.status_code, answer.json()["outcome"]) == (503, "undecided")
        assert "the worker ended" in " ".join(answer.json()["reasons"])
        again = client.post("/v1/decisions", json=question)  # there is no registry
        assert "registry.tracking_uri" in " ".join(again.json()["reasons"])
        metrics = client.get("/metrics").text
        assert "mandate_collecting_failed_total 1.0" in metrics


def collecting(running: Running) -> list[int]:
    """The workers that collect."""
    found = []
    for pid in descendants(running.process.pid):
        with suppress(OSError):
            if b"mandate.working" in Path(f"/proc/{pid}/cmdline").read_bytes():
                found.append(pid)
    return found


def test_processes_end_with_the_one_that_started_them_however_that_ended(tmp_path: Path) -> None:
    organisation = founded(tmp_path, trusting=True)
    with served(organisation, "--workers", "2") as running:
        started = descendants(running.process.pid)
        assert len(started) >= 4  # each with an OPA of its own
        running.process.kill()
        running.process.wait()
        eventually(lambda: not any(map(runs, started)))


def runs(pid: int) -> bool:
    """Whether the process runs: one that ended may wait to be reaped."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes() != b""
    return False
