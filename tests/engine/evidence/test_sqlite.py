from __future__ import annotations

import sqlite3
import stat
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mandate.engine.errors import BadConfiguration, NotRecorded
from mandate.engine.evidence import sqlite
from mandate.engine.evidence.ledger import Entry, Stored, first_chain, next_chain
from mandate.engine.evidence.sqlite import SqliteLedger

from .conftest import ORIGIN


def entry(number: int) -> Entry:
    """An entry as far as a store is concerned, which believes nothing and checks nothing."""
    return Entry(
        id=f"{number:08x}-0000-7000-8000-000000000000",
        kind="https://mandate.dev/attestations/decision/v1",
        subject="models:/credit/3",
        outcome=None if number % 2 else "deny",
        recorded_at="2026-03-01T12:00:00.000Z",
        envelope=b"envelope %d" % number,
    )


@pytest.fixture
def raw(path: Path, ledger: SqliteLedger) -> Iterator[sqlite3.Connection]:
    """The database of a ledger with three entries, opened by somebody who does not use Mandate."""
    for number in range(3):
        ledger.append(entry(number))
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        # As in SQLite's own shell: then REPLACE deletes rows without asking the delete triggers.
        connection.execute("PRAGMA recursive_triggers = OFF")
        connection.execute("CREATE TEMP VIEW one AS SELECT * FROM main.entries WHERE position = 0")
        yield connection


def test_index_counts_from_zero_without_gaps(ledger: SqliteLedger) -> None:
    assert [ledger.append(entry(number)) for number in range(3)] == [0, 1, 2]
    assert ledger.count() == 3


def test_the_latest_time_is_not_that_of_an_entry_made_under_a_clock_that_was_set_back(
    ledger: SqliteLedger,
) -> None:
    made = ledger.latest()
    assert abs(datetime.now(UTC) - made) < timedelta(minutes=1)
    ledger.append(replace(entry(0), recorded_at="1970-01-01T00:00:00.000Z"))
    assert ledger.latest() == made
    ledger.append(replace(entry(2), recorded_at="9998-03-01T12:00:00.000Z"))
    ledger.append(replace(entry(1), recorded_at="1970-01-01T00:00:00.000Z"))
    assert ledger.latest() == datetime(9998, 3, 1, 12, tzinfo=UTC)


def test_a_time_that_nobody_can_read_is_no_time(ledger: SqliteLedger) -> None:
    ledger.append(replace(entry(0), recorded_at="tomorrow"))
    with pytest.raises(NotRecorded, match="does not say when its entries were recorded"):
        ledger.latest()


def test_entry_reads_back_as_it_was_appended(ledger: SqliteLedger) -> None:
    first, second = entry(0), entry(1)
    ledger.append(first)
    ledger.append(second)
    chain = next_chain(next_chain(first_chain(ORIGIN), first.leaf), second.leaf)
    expected = Stored(
        1,
        second.id,
        second.kind,
        second.subject,
        None,
        second.recorded_at,
        second.envelope,
        second.leaf,
        chain,
    )
    assert ledger.at(1) == expected
    assert list(ledger.entries(start=1)) == [expected]
    assert ledger.starting_with("00000001", limit=2) == (expected,)


def test_what_is_not_there_is_none(ledger: SqliteLedger) -> None:
    ledger.append(entry(0))
    assert (ledger.at(1), ledger.at(-1), ledger.at(2**62)) == (None, None, None)
    assert ledger.starting_with("f", limit=2) == ()
    assert list(ledger.entries(start=1)) == []


def test_prefix_finds_in_the_order_of_ids(ledger: SqliteLedger) -> None:
    for number in (3, 1, 2):
        ledger.append(entry(number))
    assert [each.index for each in ledger.starting_with("0000", limit=2)] == [1, 2]


def test_prefix_uses_the_index_of_ids(raw: sqlite3.Connection) -> None:
    plan = raw.execute(f"EXPLAIN QUERY PLAN {sqlite._BETWEEN}", ("0", "0g", 2)).fetchall()
    assert "SEARCH e USING INDEX sqlite_autoindex_entries_1 (id>? AND id<?)" in {row[3] for row in plan}


def test_commits_are_synced(ledger: SqliteLedger) -> None:
    """`synchronous=FULL` (2) in WAL mode syncs the log at each commit; `NORMAL` (1) would not."""
    with ledger._use() as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
        assert connection.execute("PRAGMA foreign_keys").fetchone() == (1,)


def test_new_ledger_is_private(path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["ledger.db"]


def test_ledger_is_never_overwritten(path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(BadConfiguration, match="File exists"):
        sqlite.create(path, origin="other.example")
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == ["ledger.db"]


@pytest.mark.usefixtures("no_room")
def test_ledger_that_finds_no_room_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(NotRecorded, match="the disk does not take or give the ledger's data"):
        sqlite.create(tmp_path / "ledger.db", origin=ORIGIN)
    assert list(tmp_path.iterdir()) == []


def test_folder_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(BadConfiguration, match="No such file or directory"):
        sqlite.create(tmp_path / "gone" / "ledger.db", origin=ORIGIN)


@pytest.mark.parametrize("origin", ["", "a b", "a+b", "a\nb", "a\u00a0b", "a\x1b[2J", "a\u202eb"])
def test_name_that_no_signed_note_could_have_is_refused(tmp_path: Path, origin: str) -> None:
    with pytest.raises(BadConfiguration, match="is no name for a ledger"):
        sqlite.create(tmp_path / "ledger.db", origin=origin)


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ("UPDATE entries SET outcome = 'allow' WHERE position = 0", "append-only"),
        ("UPDATE OR REPLACE entries SET id = 'x'", "append-only"),
        ("UPDATE envelopes SET envelope = x'00'", "append-only"),
        ("UPDATE ledger SET origin = 'other'", "append-only"),
        ("DELETE FROM entries WHERE position = 2", "append-only"),
        ("DELETE FROM envelopes", "append-only"),
        ("DELETE FROM ledger", "append-only"),
        ("INSERT INTO ledger VALUES (1, 'other', '')", "has its name already"),
        ("REPLACE INTO ledger VALUES (1, 'other', '')", "has its name already"),
        (
            "INSERT INTO entries SELECT 4, 'x', kind, subject, outcome, recorded_at, leaf, chain FROM one",
            "without gaps",
        ),
        (
            "INSERT INTO entries SELECT 2, 'x', kind, subject, outcome, recorded_at, leaf, chain FROM one",
            "without gaps",
        ),
        (
            "INSERT INTO entries SELECT -1, 'x', kind, subject, outcome, recorded_at, leaf, chain FROM one",
            "without gaps",
        ),
        (
            "REPLACE INTO entries SELECT 0, 'x', kind, subject, 'allow', recorded_at, leaf, chain FROM one",
            "without gaps",
        ),
        (
            "INSERT INTO entries SELECT 3, id, kind, subject, outcome, recorded_at, leaf, chain FROM one",
            "recorded already",
        ),
        (
            "REPLACE INTO entries SELECT 3, id, kind, subject, outcome, recorded_at, leaf, chain FROM one",
            "recorded already",
        ),
        (
            "INSERT INTO entries SELECT 3, 'x', kind, subject, outcome, recorded_at, x'00', chain FROM one",
            "CHECK",
        ),
        (
            "INSERT INTO entries SELECT 3, 'x', kind, subject, outcome, NULL, leaf, chain FROM one",
            "NOT NULL",
        ),
        ("REPLACE INTO envelopes VALUES (0, x'00')", "has its envelope already"),
        ("INSERT INTO envelopes VALUES (1, x'00')", "has its envelope already"),
        ("INSERT INTO envelopes VALUES (9, 'text')", "cannot store TEXT value in BLOB"),
    ],
)
def test_database_itself_refuses_every_other_change(
    raw: sqlite3.Connection, path: Path, change: str, refusal: str
) -> None:
    with closing(sqlite.open_for_reading(path)) as reader:
        before = list(reader.entries())
        with pytest.raises(sqlite3.IntegrityError, match=refusal):
            raw.execute(change)
        assert list(reader.entries()) == before
        assert reader.origin == ORIGIN


def test_id_that_is_there_already_is_not_recorded(ledger: SqliteLedger) -> None:
    ledger.append(entry(0))
    with pytest.raises(NotRecorded, match="the id is recorded already"):
        ledger.append(entry(0))
    assert ledger.append(entry(1)) == 1


def test_half_an_entry_is_never_there(ledger: SqliteLedger, path: Path) -> None:
    """The envelope is refused after its entry was inserted: both are undone."""
    ledger.append(entry(0))
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA foreign_keys = OFF")
        other.execute("INSERT INTO envelopes VALUES (1, x'00')")
    with pytest.raises(NotRecorded, match="has its envelope already"):
        ledger.append(entry(1))
    assert ledger.count() == 1
    assert list(ledger.damage()) == ["there is an envelope 1 without an entry"]


def test_reader_cannot_append(path: Path) -> None:
    with closing(sqlite.open_for_reading(path)) as reader, pytest.raises(NotRecorded, match="is read-only"):
        reader.append(entry(0))


def test_reader_sees_what_a_writer_appends_meanwhile(path: Path, ledger: SqliteLedger) -> None:
    with closing(sqlite.open_for_reading(path)) as reader:
        ledger.append(entry(0))
        running = reader.entries()
        first = next(running)
        ledger.append(entry(1))
        assert [first, *running] == [ledger.at(0)]  # as it was when it began
        assert reader.count() == 2


def test_locked_ledger_is_not_recorded_in_time(
    path: Path, ledger: SqliteLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.append(entry(0))
    ledger.close()
    monkeypatch.setattr(sqlite, "_BUSY_SECONDS", 0.05)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(NotRecorded, match="another process holds the ledger"):
            ledger.append(entry(1))
        assert ledger.count() == 1  # reading goes on
        other.execute("ROLLBACK")
    assert ledger.append(entry(1)) == 1


def test_threads_share_a_ledger(ledger: SqliteLedger) -> None:
    indexes: list[int] = []

    def append(first: int) -> None:
        for number in range(first, first + 25):
            indexes.append(ledger.append(entry(number)))

    threads = [threading.Thread(target=append, args=(first,)) for first in (0, 100, 200, 300)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(indexes) == list(range(100))
    assert ledger.count() == 100


def test_missing_file_is_not_recorded_and_not_created(tmp_path: Path) -> None:
    for opening in (sqlite.open_for_appending, sqlite.open_for_reading):
        for path in (tmp_path / "ledger.db", tmp_path / "gone" / "ledger.db"):
            with pytest.raises(NotRecorded) as error:
                opening(path)
            assert str(error.value) == (
                f"{path}: the ledger cannot be opened (unable to open database file)."
                " Run `mandate init`, or point `ledger.path` to the ledger."
            )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "content", [b"not a database, but long enough to be one" * 40, b"\x00" * 4096, b"SQLite"]
)
def test_file_that_is_no_database_is_not_recorded(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "ledger.db"
    path.write_bytes(content)
    for opening in (sqlite.open_for_appending, sqlite.open_for_reading):
        with pytest.raises(NotRecorded, match=r"this is no ledger|the ledger is damaged"):
            opening(path)
    assert path.read_bytes() == content


def test_database_that_disappeared_is_not_recorded(path: Path, ledger: SqliteLedger) -> None:
    ledger.append(entry(0))
    ledger.close()
    path.unlink()
    with pytest.raises(NotRecorded, match="cannot be opened"):
        ledger.append(entry(1))


def test_damaged_page_is_not_recorded_and_the_rest_can_be_read(path: Path, ledger: SqliteLedger) -> None:
    for number in range(300):
        ledger.append(entry(number))
    ledger.close()
    page = 4096
    content = bytearray(path.read_bytes())
    last = content.find(entry(299).id.encode()) // page * page
    content[last : last + page] = b"\xff" * page
    path.write_bytes(content)
    with pytest.raises(NotRecorded, match="the ledger is damaged"):
        ledger.append(entry(300))
    read: list[int] = []
    with closing(sqlite.open_for_reading(path)) as reader:
        with pytest.raises(NotRecorded, match="the ledger is damaged"):
            read.extend(each.index for each in reader.entries())
        with pytest.raises(NotRecorded, match="the ledger is damaged"):
            list(reader.damage())
        assert reader.at(0) is not None


def test_ledger_opens_again_after_an_error(path: Path, ledger: SqliteLedger) -> None:
    """The connection is dropped with the error, so nothing that it thought written is believed."""
    ledger.append(entry(0))
    with ledger._use() as before:
        pass
    with pytest.raises(NotRecorded):
        ledger.append(entry(0))
    with ledger._use() as after:
        assert after is not before
    assert ledger.append(entry(1)) == 1


def test_path_with_special_characters_is_the_path(tmp_path: Path) -> None:
    path = tmp_path / "a?mode=memory&x=%41#é"
    sqlite.create(path, origin=ORIGIN)
    with closing(sqlite.open_for_appending(path)) as ledger:
        ledger.append(entry(0))
    with closing(sqlite.open_for_reading(path)) as reader:
        assert reader.count() == 1
    assert {file.name.removesuffix("-wal").removesuffix("-shm") for file in tmp_path.iterdir()} == {path.name}


def test_ledger_without_a_name_is_not_recorded(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        raw.execute("DROP TRIGGER ledger_no_delete")
        raw.execute("DELETE FROM ledger")
    with pytest.raises(NotRecorded, match="the ledger has lost its name"):
        sqlite.open_for_appending(path)


def test_text_that_is_not_utf8_reaches_the_checks(raw: sqlite3.Connection, path: Path) -> None:
    raw.execute("DROP TRIGGER entries_no_update")
    raw.execute("UPDATE entries SET subject = CAST(x'6dff' AS TEXT) WHERE position = 1")
    with closing(sqlite.open_for_reading(path)) as reader:
        assert [each.subject for each in reader.entries()] == [
            "models:/credit/3",
            "m\\xff",
            "models:/credit/3",
        ]
