from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from mandate.engine.errors import NotRecorded
from mandate.engine.evidence.keys import SigningKey
from mandate.engine.evidence.sql import database, sqlite
from mandate.engine.evidence.sql import sqlite_migrations as migrations
from mandate.engine.evidence.sql.ledger import SqlLedger
from mandate.engine.evidence.sql.sqlite import SqliteDatabase

from .conftest import ORIGIN

Opening = Callable[[Path, SigningKey], SqlLedger]
BOTH = pytest.mark.parametrize(
    "opening", [sqlite.open_for_appending, lambda path, _: sqlite.open_for_reading(path)]
)


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
    assert sorted(tables) == [
        (name, 1) for name in ("cosignatures", "entries", "envelopes", "heads", "ledger", "mentions", "nodes")
    ]


@BOTH
def test_other_database_is_no_ledger(tmp_path: Path, signer: SigningKey, opening: Opening) -> None:
    path = tmp_path / "mlflow.db"
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE ledger (origin TEXT)")
    before = path.read_bytes()
    with pytest.raises(NotRecorded) as error:
        opening(path, signer)
    assert str(error.value) == f"{path}: this is no ledger of Mandate. Point `ledger.path` to the ledger."
    assert path.read_bytes() == before


@BOTH
def test_ledger_of_a_newer_mandate_is_left_alone(path: Path, signer: SigningKey, opening: Opening) -> None:
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("PRAGMA user_version = 99")
    with pytest.raises(
        NotRecorded, match=r"a newer Mandate wrote this ledger \(version 99; this one knows 1\)"
    ):
        opening(path, signer)


@pytest.fixture
def older(tmp_path: Path) -> Path:
    """A ledger from before the first migration."""
    path = tmp_path / "older.db"
    with closing(sqlite3.connect(path)) as raw:
        raw.execute(f"PRAGMA application_id = {migrations.APPLICATION_ID}")
    return path


def test_older_ledger_is_migrated_by_a_writer(older: Path) -> None:
    with closing(SqliteDatabase(older).connect(appending=True)) as connection:
        assert migrations.version(connection, "") == migrations.NEWEST
        assert migrations.present(connection) == migrations.expected()


def test_older_ledger_is_not_migrated_by_a_reader(older: Path) -> None:
    with pytest.raises(NotRecorded, match="an older Mandate wrote this ledger"):
        sqlite.open_for_reading(older)


def test_released_migration_is_never_changed() -> None:
    """A file that had the first migration must be what this code expects: add a migration instead."""
    assert [
        hashlib.sha256(" ".join(script.split()).encode()).hexdigest()
        for script in database.migrations("sqlite")
    ] == ["748638270d51753fcd4564ace101478cbcedc6317effe8c42a93a2a436401322"]


def test_origin_is_that_of_creation(path: Path) -> None:
    with closing(sqlite.open_for_reading(path)) as reader:
        assert reader.origin == ORIGIN
