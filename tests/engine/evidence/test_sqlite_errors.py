from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from mandate.engine.evidence.sql.sqlite_errors import not_recorded

GIVE = "Give this user the right to write the file and its folder"


def error(code: str) -> sqlite3.Error:
    """An error as the driver raises it; which real faults raise which is tested in `test_processes`."""
    raised = sqlite3.OperationalError("as SQLite puts it")
    raised.sqlite_errorname = code
    return raised


@pytest.mark.parametrize(
    ("code", "what", "next_step"),
    [
        ("SQLITE_FULL", "the disk is full", "Make room, then ask again"),
        (
            "SQLITE_BUSY",
            "another process holds the ledger",
            "Ask again; end the process that holds it if it stays so",
        ),
        (
            "SQLITE_BUSY_SNAPSHOT",
            "another process holds the ledger",
            "Ask again; end the process that holds it if it stays so",
        ),
        ("SQLITE_READONLY_DBMOVED", "the ledger is read-only", GIVE),
        (
            "SQLITE_IOERR_FSYNC",
            "the disk does not take or give the ledger's data",
            "Check the disk and its quota, then ask again",
        ),
        (
            "SQLITE_CORRUPT_INDEX",
            "the ledger is damaged",
            "Keep a copy, run `mandate ledger verify`, restore from a backup",
        ),
        ("SQLITE_NOTADB", "this is no ledger", "Keep a copy, and restore the file from a backup"),
        (
            "SQLITE_CANTOPEN",
            "the ledger cannot be opened",
            "Run `mandate init`, or point `ledger.path` to the ledger",
        ),
        ("SQLITE_TOOBIG", "the ledger cannot be used", "Run `mandate ledger verify`"),
    ],
)
def test_each_error_says_what_to_do(tmp_path: Path, code: str, what: str, next_step: str) -> None:
    refused = not_recorded(error(code), tmp_path / "ledger.db")
    assert (refused.what, refused.where, refused.next_step) == (
        f"{what} (as SQLite puts it)",
        str(tmp_path / "ledger.db"),
        next_step,
    )


def test_ledger_that_is_there_but_cannot_be_opened_needs_a_right_and_no_init(path: Path) -> None:
    assert not_recorded(error("SQLITE_CANTOPEN"), path).next_step == GIVE


def test_error_without_a_code_is_not_recorded_either(tmp_path: Path) -> None:
    assert (
        not_recorded(sqlite3.ProgrammingError("closed"), tmp_path).what
        == "the ledger cannot be used (closed)"
    )
