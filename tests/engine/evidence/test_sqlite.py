from __future__ import annotations

import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from mandate.engine.errors import BadConfiguration, NotRecorded
from mandate.engine.evidence.keys import SigningKey
from mandate.engine.evidence.sql import sqlite
from mandate.engine.evidence.sql.ledger import SqlLedger
from mandate.engine.evidence.sql.sqlite import SqliteDatabase

from .conftest import ORIGIN
from .test_store import entry

Opening = Callable[[Path, SigningKey], SqlLedger]
BOTH = pytest.mark.parametrize(
    "opening", [sqlite.open_for_appending, lambda path, _: sqlite.open_for_reading(path)]
)


@pytest.fixture
def raw(path: Path, ledger: SqlLedger) -> Iterator[sqlite3.Connection]:
    """The database of a ledger with three entries, opened by somebody who does not use Mandate."""
    for number in range(3):
        ledger.append(entry(number))
    ledger.cosign(3, b"a line")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        # As in SQLite's own shell: then REPLACE deletes rows without asking the delete triggers.
        connection.execute("PRAGMA recursive_triggers = OFF")
        connection.execute("CREATE TEMP VIEW one AS SELECT * FROM main.entries WHERE position = 0")
        yield connection


def test_prefix_uses_the_index_of_ids(raw: sqlite3.Connection) -> None:
    query = "EXPLAIN QUERY PLAN " + SqliteDatabase(Path()).queries.between.sql
    plan = raw.execute(query, {"first": "0", "end": "0g", "most": 2}).fetchall()
    assert "SEARCH e USING INDEX sqlite_autoindex_entries_1 (id>? AND id<?)" in {row[3] for row in plan}


def test_commits_are_synced(ledger: SqlLedger) -> None:
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
            "INSERT INTO entries (position, id, kind, recorded_at, leaf, subject, outcome)"
            " SELECT 4, 'x', kind, recorded_at, leaf, subject, outcome FROM one",
            "without gaps",
        ),
        (
            "INSERT INTO entries (position, id, kind, recorded_at, leaf, subject, outcome)"
            " SELECT 2, 'x', kind, recorded_at, leaf, subject, outcome FROM one",
            "without gaps",
        ),
        (
            "INSERT INTO entries (position, id, kind, recorded_at, leaf, subject, outcome)"
            " SELECT -1, 'x', kind, recorded_at, leaf, subject, outcome FROM one",
            "without gaps",
        ),
        (
            "REPLACE INTO entries (position, id, kind, recorded_at, leaf, subject, outcome)"
            " SELECT 0, 'x', kind, recorded_at, leaf, subject, 'allow' FROM one",
            "without gaps",
        ),
        (
            "INSERT INTO entries (position, id, kind, recorded_at, leaf, subject, outcome)"
            " SELECT 3, id, kind, recorded_at, leaf, subject, outcome FROM one",
            "recorded already",
        ),
        (
            "REPLACE INTO entries (position, id, kind, recorded_at, leaf, subject, outcome)"
            " SELECT 3, id, kind, recorded_at, leaf, subject, outcome FROM one",
            "recorded already",
        ),
        (
            "INSERT INTO entries (position, id, kind, recorded_at, leaf, subject, outcome)"
            " SELECT 3, 'x', kind, recorded_at, x'00', subject, outcome FROM one",
            "CHECK",
        ),
        (
            "INSERT INTO entries (position, id, kind, recorded_at, leaf, subject, outcome)"
            " SELECT 3, 'x', kind, NULL, leaf, subject, outcome FROM one",
            "NOT NULL",
        ),
        ("REPLACE INTO envelopes VALUES (0, x'00')", "has its envelope already"),
        ("INSERT INTO envelopes VALUES (1, x'00')", "has its envelope already"),
        ("INSERT INTO envelopes VALUES (9, 'text')", "cannot store TEXT value in BLOB"),
        ("UPDATE mentions SET name = 'x'", "append-only"),
        ("DELETE FROM mentions", "append-only"),
        ("INSERT INTO mentions VALUES (2, 'rule', 'x')", "under a signed head already"),
        ("REPLACE INTO mentions VALUES (2, 'person', 'ci')", "under a signed head already"),
        ("UPDATE nodes SET hash = x'00'", "append-only"),
        ("DELETE FROM nodes", "append-only"),
        ("REPLACE INTO nodes VALUES (1, 1, zeroblob(32))", "under a signed head already"),
        ("UPDATE heads SET size = 4 WHERE size = 3", "append-only"),
        ("DELETE FROM heads WHERE size = 3", "append-only"),
        ("INSERT INTO heads VALUES (4, x'00')", "a head covers all entries"),
        ("REPLACE INTO heads VALUES (3, x'00')", "a head covers all entries"),
        ("UPDATE cosignatures SET line = x'00'", "append-only"),
        ("DELETE FROM cosignatures", "append-only"),
        ("REPLACE INTO cosignatures VALUES (3, 0, x'00')", "has signed this head already"),
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


def test_locked_ledger_is_not_recorded_in_time(
    path: Path, ledger: SqlLedger, monkeypatch: pytest.MonkeyPatch
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
    assert ledger.append(entry(1)).index == 1


@BOTH
def test_missing_file_is_not_recorded_and_not_created(
    tmp_path: Path, signer: SigningKey, opening: Opening
) -> None:
    (tmp_path / "empty").mkdir()
    for path in (tmp_path / "empty" / "ledger.db", tmp_path / "gone" / "ledger.db"):
        with pytest.raises(NotRecorded) as error:
            opening(path, signer)
        assert str(error.value) == (
            f"{path}: the ledger cannot be opened (unable to open database file)."
            " Run `mandate init`, or point `ledger.path` to the ledger."
        )
    assert not any((tmp_path / "empty").iterdir())


@pytest.mark.parametrize(
    "content", [b"not a database, but long enough to be one" * 40, b"\x00" * 4096, b"SQLite"]
)
@BOTH
def test_file_that_is_no_database_is_not_recorded(
    tmp_path: Path, signer: SigningKey, opening: Opening, content: bytes
) -> None:
    path = tmp_path / "ledger.db"
    path.write_bytes(content)
    with pytest.raises(NotRecorded, match=r"this is no ledger|the ledger is damaged"):
        opening(path, signer)
    assert path.read_bytes() == content


def test_database_that_disappeared_is_not_recorded(path: Path, ledger: SqlLedger) -> None:
    ledger.append(entry(0))
    ledger.close()
    path.unlink()
    with pytest.raises(NotRecorded, match="cannot be opened"):
        ledger.append(entry(1))


def test_damaged_page_is_not_recorded_and_the_rest_can_be_read(path: Path, ledger: SqlLedger) -> None:
    for number in range(300):
        ledger.append(entry(number))
    ledger.close()
    page = 4096
    content = bytearray(path.read_bytes())
    # The page of the entries, not the one of the index of ids.
    (last,) = (
        at
        for at in range(0, len(content), page)
        if all(part in content[at : at + page] for part in (entry(299).id.encode(), b"models:/credit/3"))
    )
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


def test_path_with_special_characters_is_the_path(tmp_path: Path, signer: SigningKey) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    path = folder / "a?mode=memory&x=%41#é"
    sqlite.create(path, origin=ORIGIN)
    with closing(sqlite.open_for_appending(path, signer)) as ledger:
        ledger.append(entry(0))
    with closing(sqlite.open_for_reading(path)) as reader:
        assert reader.count() == 1
    assert {file.name.removesuffix("-wal").removesuffix("-shm") for file in folder.iterdir()} == {path.name}


def test_text_that_is_not_utf8_reaches_the_checks(raw: sqlite3.Connection, path: Path) -> None:
    raw.execute("DROP TRIGGER entries_no_update")
    raw.execute("UPDATE entries SET subject = CAST(x'6dff' AS TEXT) WHERE position = 1")
    with closing(sqlite.open_for_reading(path)) as reader:
        assert [each.columns.subject for each in reader.entries()] == [
            "models:/credit/3",
            "m\\xff",
            "models:/credit/3",
        ]
