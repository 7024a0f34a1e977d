from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from mandate.engine.errors import NotRecorded
from mandate.engine.evidence import migrations, sqlite

from .conftest import ORIGIN


def test_file_says_that_it_is_a_ledger(path: Path) -> None:
    """As `file` and `sqlite3` read it: bytes 68 to 72 of the header."""
    assert path.read_bytes()[68:72] == b"MAND"
    with closing(sqlite3.connect(path)) as raw:
        assert raw.execute("PRAGMA user_version").fetchone() == (migrations.NEWEST,)


def test_all_tables_are_strict(path: Path) -> None:
    with closing(sqlite3.connect(path)) as raw:
        tables = raw.execute(
            "SELECT name, strict FROM pragma_table_list WHERE name NOT GLOB 'sqlite_*'"
        ).fetchall()
    assert sorted(tables) == [("entries", 1), ("envelopes", 1), ("ledger", 1)]


@pytest.mark.parametrize("opening", [sqlite.open_for_appending, sqlite.open_for_reading])
def test_other_database_is_no_ledger(tmp_path: Path, opening: object) -> None:
    path = tmp_path / "mlflow.db"
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE ledger (origin TEXT)")
    before = path.read_bytes()
    with pytest.raises(NotRecorded) as error:
        opening(path)  # type: ignore[operator]
    assert str(error.value) == f"{path}: this is no ledger of Mandate. Point `ledger.path` to the ledger."
    assert path.read_bytes() == before


@pytest.mark.parametrize("opening", [sqlite.open_for_appending, sqlite.open_for_reading])
def test_ledger_of_a_newer_mandate_is_left_alone(path: Path, opening: object) -> None:
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("PRAGMA user_version = 99")
    with pytest.raises(
        NotRecorded, match=r"a newer Mandate wrote this ledger \(version 99; this one knows 1\)"
    ):
        opening(path)  # type: ignore[operator]


@pytest.fixture
def older(tmp_path: Path) -> Path:
    """A ledger from before the first migration."""
    path = tmp_path / "older.db"
    with closing(sqlite3.connect(path)) as raw:
        raw.execute(f"PRAGMA application_id = {migrations.APPLICATION_ID}")
    return path


def test_older_ledger_is_migrated_by_a_writer(older: Path) -> None:
    with closing(sqlite._writer(older)) as connection:
        assert migrations.version(connection, "") == migrations.NEWEST
        assert migrations.present(connection) == migrations.expected()


def test_older_ledger_is_not_migrated_by_a_reader(older: Path) -> None:
    with pytest.raises(NotRecorded, match="an older Mandate wrote this ledger"):
        sqlite.open_for_reading(older)


def test_released_migration_is_never_changed() -> None:
    """A file that had the first migration must be what this code expects: add a migration instead."""
    assert {name: " ".join(sql.split())[:60] for name, sql in migrations.expected().items()} == {
        "ledger": "CREATE TABLE ledger ( one INTEGER PRIMARY KEY CHECK (one = 1",
        "entries": "CREATE TABLE entries ( position INTEGER PRIMARY KEY CHECK (p",
        "envelopes": "CREATE TABLE envelopes ( position INTEGER PRIMARY KEY REFERE",
        "entries_append": "CREATE TRIGGER entries_append BEFORE INSERT ON entries BEGIN",
        "envelopes_append": "CREATE TRIGGER envelopes_append BEFORE INSERT ON envelopes B",
        "ledger_once": "CREATE TRIGGER ledger_once BEFORE INSERT ON ledger BEGIN SEL",
        "ledger_no_update": "CREATE TRIGGER ledger_no_update BEFORE UPDATE ON ledger BEGI",
        "ledger_no_delete": "CREATE TRIGGER ledger_no_delete BEFORE DELETE ON ledger BEGI",
        "entries_no_update": "CREATE TRIGGER entries_no_update BEFORE UPDATE ON entries BE",
        "entries_no_delete": "CREATE TRIGGER entries_no_delete BEFORE DELETE ON entries BE",
        "envelopes_no_update": "CREATE TRIGGER envelopes_no_update BEFORE UPDATE ON envelope",
        "envelopes_no_delete": "CREATE TRIGGER envelopes_no_delete BEFORE DELETE ON envelope",
    }


def test_origin_is_that_of_creation(path: Path) -> None:
    with closing(sqlite.open_for_reading(path)) as reader:
        assert reader.origin == ORIGIN
