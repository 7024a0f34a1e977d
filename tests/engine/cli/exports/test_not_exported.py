"""What is not exported: another ledger, one that was changed, and into a place of something else."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from mandate.engine.evidence.sql import sqlite
from tests.exporting import (
    FIRST,
    LEDGER,
    NAME,
    copy,
    exported,
    files,
    grow,
    said,
)
from tests.organisation import Organisation


def test_a_forked_ledger_is_not_exported_over_the_other_one(exporter: Organisation, tmp_path: Path) -> None:
    fork = copy(exporter, tmp_path / "fork")
    for each in (exporter, fork):
        grow(each, 5)
    exported(exporter, "export")
    before = files(exporter.folder / "export")
    grow(fork, 9)
    refused = fork.mandate("ledger", "export", str(exporter.folder / "export"))
    assert refused.exit_code == 3
    assert "the first 710 entries of the ledger are not those that were exported" in said(refused)
    assert files(exporter.folder / "export") == before


def test_a_ledger_that_was_rolled_back_is_not_exported(exporter: Organisation, tmp_path: Path) -> None:
    older = copy(exporter, tmp_path / "older")
    exported(exporter, "export")
    refused = older.mandate("ledger", "export", str(exporter.folder / "export"))
    assert refused.exit_code == 3
    assert "the ledger has 704 entries, and 705 were exported" in said(refused)


def test_a_destination_of_something_else_is_refused(exporter: Organisation, tmp_path: Path) -> None:
    other = Organisation(tmp_path / "other")
    other.folder.mkdir()
    assert other.mandate("init", "--name", "other.example").exit_code == 0
    exported(other, "export")
    refused = exporter.mandate("ledger", "export", str(other.folder / "export"))
    assert refused.exit_code == 2
    assert "this is an export of another ledger, 'other.example'" in said(refused)
    refused = exporter.mandate("ledger", "import", str(other.folder / "export"), "--into", "new.db")
    assert refused.exit_code == 2
    assert "this is an export of 'other.example', not of 'bank.example/models'" in said(refused)
    refused = exporter.mandate("ledger", "export", "policies")
    assert refused.exit_code == 2
    assert "it holds something else than an export, such as thresholds/evidence.yaml" in said(refused)
    refused = exporter.mandate("ledger", "export", "mandate.yaml")
    assert refused.exit_code == 2
    assert "this is no folder" in said(refused)
    refused = exporter.mandate("ledger", "export", "mandate.yaml/below")
    assert refused.exit_code == 3
    assert "README.md cannot be written: Not a directory" in said(refused)


def test_another_file_under_a_name_of_the_export_is_refused(exporter: Organisation) -> None:
    entries = exporter.folder / "export" / FIRST
    entries.parent.mkdir(parents=True)
    entries.write_bytes(b"{}\n")
    refused = exporter.mandate("ledger", "export", "export")
    assert refused.exit_code == 3
    assert f"{FIRST} is there already, and is not what belongs there" in said(refused)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (
            "UPDATE envelopes SET envelope = CAST(replace(envelope, 'e', 'f') AS BLOB) WHERE position = 3",
            "of entry 3",
        ),
        ("DELETE FROM envelopes WHERE position = 3", "the envelope of entry 3 is gone"),
        ("DELETE FROM entries WHERE position = 300", "entry 300 is gone"),
        (
            "UPDATE nodes SET hash = zeroblob(32) WHERE level = 8 AND position = 255",
            "its tree does not follow",
        ),
        ("UPDATE entries SET leaf = zeroblob(32) WHERE position = 703", ""),
        ("DELETE FROM heads WHERE size = 704", "its newest head covers 654 entries, and there are 704"),
    ],
)
def test_a_damaged_ledger_is_not_exported(exporter: Organisation, change: str, what: str) -> None:
    with closing(sqlite3.connect(exporter.folder / LEDGER)) as database, database:
        for (trigger,) in database.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'trigger'"
        ).fetchall():
            database.execute(f'DROP TRIGGER "{trigger}"')
        database.execute(change)
    refused = exporter.mandate("ledger", "export", "export")
    assert refused.exit_code == 3
    assert what in said(refused)
    assert not (exporter.folder / "export/snapshots").exists()


def test_an_empty_ledger_is_not_exported(tmp_path: Path) -> None:
    """One from before its opening was an entry."""
    empty = Organisation(tmp_path)
    assert empty.mandate("init", "--name", NAME).exit_code == 0
    (tmp_path / LEDGER).unlink()
    sqlite.create(tmp_path / LEDGER, origin=NAME)
    refused = empty.mandate("ledger", "export", "export")
    assert refused.exit_code == 3
    assert "the ledger has no entries yet" in said(refused)
