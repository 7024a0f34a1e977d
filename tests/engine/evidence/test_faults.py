"""What can go wrong between a decision and its record, on real processes, servers and disks."""

from __future__ import annotations

import re
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from tempfile import mkdtemp

import pytest

from mandate.engine.decision import Judgement
from mandate.engine.errors import BadRequest, NotRecorded
from mandate.engine.evidence import public_keys
from mandate.engine.evidence.keys import SigningKey
from mandate.engine.evidence.ledger import Place
from mandate.engine.evidence.predicates.decision import RequestKey
from mandate.engine.evidence.recorder import Recorder
from mandate.engine.evidence.sql import postgresql
from mandate.engine.evidence.sql.ledger import SqlLedger
from mandate.engine.evidence.verify import report, verify
from mandate.engine.input.document import Input
from tests.postgresql import Server

from .conftest import NOON, ON_BOTH
from .databases import Home, PostgresqlHome
from .processes import acknowledged, nursery, ran, recorded, start
from .test_store import entry

COMMIT = re.compile(rb"COMMIT(?!TED)")
KEY = RequestKey(key="build-7", sha256="00" * 32)
ON_POSTGRESQL = pytest.mark.parametrize("home", ["postgresql"], indirect=True)


# --- group commit -------------------------------------------------------------------------------------------


@ON_BOTH
def test_entries_that_arrive_together_share_one_commit_and_one_head(
    home: Home, ledger: SqlLedger, signer: SigningKey
) -> None:
    """The store is held until all wait; then the first is stored, and all others behind it at once."""
    ledger.append(entry(0))
    places: dict[int, Place] = {}
    held = home.appending(signer)

    def append(number: int) -> None:
        places[number] = ledger.append(entry(number))

    threads = [threading.Thread(target=append, args=(number,)) for number in range(1, 21)]
    with closing(held), held._use() as connection, home.database.transaction(connection):
        for thread in threads:
            thread.start()
        while sum(len(waiting.items) for waiting in ledger._group._line) < 19:
            time.sleep(0.001)
        assert places == {}  # nobody is answered before it is stored
    for thread in threads:
        thread.join()
    assert sorted(place.index for place in places.values()) == list(range(1, 21))
    assert {number: place.id for number, place in places.items()} == {
        number: entry(number).id for number in range(1, 21)
    }
    assert [head.size for head in ledger.heads()] == [1, 2, 21]
    assert sorted(place.size for place in places.values()) == [2, *[21] * 19]


@ON_BOTH
def test_an_entry_that_is_refused_does_not_fail_its_neighbours(
    home: Home, ledger: SqlLedger, signer: SigningKey
) -> None:
    ledger.append(entry(0))
    said: dict[int, object] = {}
    held = home.appending(signer)

    def append(number: int, id_of: int) -> None:
        try:
            said[number] = ledger.append(entry(id_of)).index
        except NotRecorded as error:
            said[number] = type(error).__name__

    numbers = {1: 1, 2: 2, 3: 0, 4: 3, 5: 4}  # the third one's id is on record already
    threads = [threading.Thread(target=append, args=each) for each in numbers.items()]
    with closing(held), held._use() as connection, home.database.transaction(connection):
        for thread in threads:
            thread.start()
        while len(ledger._group._line) < 4:
            time.sleep(0.001)
    for thread in threads:
        thread.join()
    assert said.pop(3) == "Refused"
    assert sorted(map(str, said.values())) == ["1", "2", "3", "4"]
    assert ledger.count() == 5
    assert list(ledger.damage()) == []


# --- asked again --------------------------------------------------------------------------------------------


@ON_BOTH
def test_the_same_request_gets_the_same_decision(
    recorder: Recorder, ledger: SqlLedger, document: Input, judgement: Judgement
) -> None:
    assert recorder.answered(KEY) is None
    first = recorder.record(document, judgement, request=KEY)
    other = judgement.model_copy(update={"opa_version": "9.9.9"})
    assert recorder.record(document, other, request=KEY) == first
    assert recorder.answered(KEY) == first
    assert ledger.count() == 1
    another = KEY.model_copy(update={"key": "build-8"})
    assert recorder.record(document, judgement, request=another).receipt.index == 1


@ON_BOTH
def test_another_question_under_the_same_key_is_a_bad_request(
    recorder: Recorder, ledger: SqlLedger, document: Input, judgement: Judgement
) -> None:
    recorder.record(document, judgement, request=KEY)
    other = KEY.model_copy(update={"sha256": "11" * 32})
    what = "'build-7' is the request key of another question, in entry 0"
    with pytest.raises(BadRequest, match=what):
        recorder.answered(other)
    with pytest.raises(BadRequest, match=what):
        recorder.record(document, judgement, request=other)
    assert ledger.count() == 1


@ON_BOTH
def test_two_processes_that_race_for_a_request_get_one_decision(home: Home, folder: Path) -> None:
    asked = ("--count", 25, "--threads", 2, "--keys", "build-")
    racing = [start(folder, home.where, *asked) for _ in range(2)]
    first, second = (sorted(acknowledged(process.communicate(timeout=120)[0])) for process in racing)
    assert first == second
    assert len(first) == 25
    assert recorded(home, folder) == set(first)


@ON_BOTH
def test_a_crash_between_commit_and_answer_decides_nothing_twice(home: Home, folder: Path) -> None:
    asked = ("--keys", "build-", "--count", 4)
    with start(folder, home.where, *asked, "--die-at", 2) as process:
        assert process.stdout
        told = acknowledged(process.stdout.read())
    assert (process.returncode, len(told)) == (-signal.SIGKILL, 2)
    assert len(recorded(home, folder)) == 3
    again = acknowledged(ran(folder, home.where, *asked))
    assert again[:2] == told
    assert [index for index, _, _ in again] == [0, 1, 2, 3]
    assert recorded(home, folder) == set(again)


class Cutting:
    """Stands between a client and the server, and cuts the connection once COMMIT has been done.

    The client is told nothing of it.
    """

    def __init__(self, server: Path) -> None:
        self.folder = Path(mkdtemp(prefix="pg-", dir="/tmp"))
        self.cuts = 0
        self._armed = threading.Event()
        self._server = str(server / ".s.PGSQL.5432")
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.folder / ".s.PGSQL.5432"))
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """The next commit's answer is lost."""
        self._armed.set()

    def close(self) -> None:
        self._listener.close()
        shutil.rmtree(self.folder)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._relay, args=(client,), daemon=True).start()

    def _relay(self, client: socket.socket) -> None:
        server = socket.socket(socket.AF_UNIX)
        server.connect(self._server)
        threading.Thread(target=self._pass_on, args=(server, client), daemon=True).start()
        with client, server, suppress(OSError):
            while data := client.recv(65536):
                if self._armed.is_set() and COMMIT.search(data):
                    self._armed.clear()
                    self.cuts += 1
                    client.shutdown(socket.SHUT_RDWR)
                    time.sleep(0.2)  # the client asks what became of it, while it is still under way
                    server.sendall(data)
                    return
                server.sendall(data)

    @staticmethod
    def _pass_on(server: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):  # either may be cut off
            while data := server.recv(65536):
                client.sendall(data)


@contextmanager
def cutting(server: Server) -> Iterator[Cutting]:
    relay = Cutting(server.folder)
    yield relay
    relay.close()


@ON_POSTGRESQL
def test_a_connection_that_is_lost_after_the_commit_loses_and_doubles_nothing(
    home: PostgresqlHome, signer: SigningKey, postgresql_server: Server, document: Input, judgement: Judgement
) -> None:
    with cutting(postgresql_server) as relay:
        url = home.url.replace(str(postgresql_server.folder), str(relay.folder))
        with closing(postgresql.open_for_appending(url, signer)) as ledger:
            recorder = Recorder(ledger, signer, lambda: NOON)
            receipts = [recorder.record(document, judgement).receipt]
            for request in (None, KEY):
                relay.cut()
                receipts.append(recorder.record(document, judgement, request=request).receipt)
            relay.cut()
            again = recorder.record(document, judgement, request=KEY).receipt
            relay.cut()
            assert ledger.append_all([entry(7), entry(8)]) == (
                Place(3, 5, entry(7).id),
                Place(4, 5, entry(8).id),
            )
        assert relay.cuts == 4
    assert [receipt.index for receipt in receipts] == [0, 1, 2]
    assert again == receipts[2]
    with closing(home.reading()) as reader:
        assert [each.id for each in reader.entries()] == [
            *(receipt.id for receipt in receipts),
            entry(7).id,
            entry(8).id,
        ]


# --- servers, disks and clocks ------------------------------------------------------------------------------


@ON_POSTGRESQL
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT])
def test_a_server_that_is_restarted_in_the_middle_loses_and_doubles_nothing(
    home: PostgresqlHome, folder: Path, postgresql_server: Server, how: signal.Signals
) -> None:
    """Fast, and immediately, as if the machine had crashed; the writers ask again until they are answered."""
    with nursery(folder, home, "--keys", "build-", "--threads", 3, "--insist") as writers:
        children = [writers.child() for _ in range(2)]
        for child in children:
            child.begun()
        for _ in range(2):
            postgresql_server.stop(how)
            before = len(writers.told())
            postgresql_server.start()
            while len(writers.told()) < before + 10:
                time.sleep(0.005)
        for child in children:
            child.kill()
        told = writers.told()
    kept = recorded(home, folder)
    assert set(told) <= kept
    with closing(home.reading()) as reader:
        requests = [each.columns.request_key for each in reader.entries()]
    assert len(requests) == len(set(requests))


FAILING = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
/* The disk fails to sync as long as the file exists that FAILING_DISK names, and is full while the one exists
   that FULL_DISK names. */
static int now(const char *name) {
  const char *file = getenv(name);
  return file && access(file, F_OK) == 0;
}
#define SYNC(name) \
  int name(int fd) { \
    if (now("FAILING_DISK")) { errno = EIO; return -1; } \
    return ((int (*)(int))dlsym(RTLD_NEXT, #name))(fd); \
  }
#define WRITE(name) \
  ssize_t name(int fd, const void *data, size_t count, off_t at) { \
    if (now("FULL_DISK")) { errno = ENOSPC; return -1; } \
    return ((ssize_t (*)(int, const void *, size_t, off_t))dlsym(RTLD_NEXT, #name))(fd, data, count, at); \
  }
SYNC(fsync)
SYNC(fdatasync)
WRITE(pwrite)
WRITE(pwrite64)
"""


@pytest.fixture
def disk(request: pytest.FixtureRequest) -> Iterator[tuple[dict[str, str], Path]]:
    """The environment of a process whose disk fails, and the file by which it does."""
    folder = Path(mkdtemp(prefix="disk-", dir="/tmp"))
    folder.chmod(0o755)
    (folder / "failing.c").write_text(FAILING)
    library, trigger = folder / "failing.so", folder / "fails"
    command = ["gcc", "-shared", "-fPIC", "-O1", "-o", str(library), str(folder / "failing.c"), "-ldl"]
    subprocess.run(command, check=True)
    yield {"LD_PRELOAD": str(library), request.param: str(trigger)}, trigger
    shutil.rmtree(folder)


@pytest.mark.parametrize("disk", ["FAILING_DISK"], indirect=True)
def test_a_disk_that_fails_to_sync_acknowledges_nothing(
    home: Home, folder: Path, disk: tuple[dict[str, str], Path]
) -> None:
    environment, trigger = disk
    process = start(folder, home.where, environment=environment)
    assert process.stdout
    lines = [process.stdout.readline() for _ in range(5)]
    trigger.touch()
    with process:
        *more, refused = [*lines, *process.stdout]
    assert refused.startswith(
        f"refused: {home.where}: the disk does not take or give the ledger's data (disk I/O"
    )
    told = acknowledged("".join(more))
    trigger.unlink()
    after = acknowledged(ran(folder, home.where, "--count", 2))
    kept = recorded(home, folder)
    assert {*told, *after} <= kept
    # Whether the refused one reached the disk, nobody knows.
    assert len(kept) - len(told) - len(after) <= 1


@ON_POSTGRESQL
@pytest.mark.parametrize(
    ("disk", "what"),
    [
        (
            "FAILING_DISK",
            "the server's disk does not take or give the ledger's data (could not fdatasync file",
        ),
        ("FULL_DISK", "the server has no room (could not write to "),
    ],
    indirect=["disk"],
)
def test_a_server_whose_disk_fails_or_is_full_acknowledges_nothing(
    home: PostgresqlHome,
    folder: Path,
    postgresql_server: Server,
    disk: tuple[dict[str, str], Path],
    what: str,
) -> None:
    """PostgreSQL crashes then, on purpose, and recovers from what is on the disk."""
    environment, trigger = disk
    postgresql_server.stop()
    postgresql_server.start(environment=environment)
    process = start(folder, home.where)
    assert process.stdout
    lines = [process.stdout.readline() for _ in range(5)]
    trigger.touch()
    with process:
        *more, refused = [*lines, *process.stdout]
    trigger.unlink()
    postgresql_server.stop(signal.SIGQUIT)
    postgresql_server.start()
    assert what in refused
    told = acknowledged("".join(more))
    after = acknowledged(ran(folder, home.where, "--count", 2))
    kept = recorded(home, folder)
    assert {*told, *after} <= kept
    assert len(kept) - len(told) - len(after) <= 1


@ON_BOTH
def test_a_writer_whose_clock_was_set_back_records_in_the_ledgers_order(home: Home, folder: Path) -> None:
    behind = start(folder, home.where, "--count", 20, "--behind", 3600)
    right = start(folder, home.where, "--count", 20)
    told = [*acknowledged(behind.communicate(timeout=60)[0]), *acknowledged(right.communicate(timeout=60)[0])]
    assert recorded(home, folder) == set(told)
    assert sorted(index for index, _, _ in told) == list(range(40))
    with closing(home.reading()) as ledger:
        latest = max(entry.recorded_at for entry in ledger.entries())
        assert ledger.latest() == datetime.fromisoformat(latest)


@ON_BOTH
def test_what_a_ledger_acknowledged_verifies_for_somebody_else_at_once(
    home: Home, folder: Path, signer: SigningKey
) -> None:
    """A reader that verifies while others append sees one state, and no fault."""
    keys = public_keys.load_folder(folder)
    with nursery(folder, home, "--threads", 2) as writers:
        child = writers.child()
        child.begun()
        for _ in range(3):
            with closing(home.reading()) as ledger:
                assert report(verify(ledger, keys)).faults == ()
        child.kill()
