"""What SQLite's errors mean for somebody who wants a decision recorded, and what to do about each."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from ...errors import NotRecorded
from .group import Refused

_MEANINGS: tuple[tuple[str, str, str], ...] = (
    # SQLite's result code begins with, what it means, what to do: the first that fits.
    ("SQLITE_FULL", "the disk is full", "Make room, then ask again"),
    (
        "SQLITE_BUSY",
        "another process holds the ledger",
        "Ask again; end the process that holds it if it stays so",
    ),
    (
        "SQLITE_LOCKED",
        "another process holds the ledger",
        "Ask again; end the process that holds it if it stays so",
    ),
    (
        "SQLITE_READONLY",
        "the ledger is read-only",
        "Give this user the right to write the file and its folder",
    ),
    (
        "SQLITE_PERM",
        "the ledger may not be opened",
        "Give this user the right to write the file and its folder",
    ),
    (
        "SQLITE_CANTOPEN",
        "the ledger cannot be opened",
        "Run `mandate init`, or point `ledger.path` to the ledger",
    ),
    (
        "SQLITE_CORRUPT",
        "the ledger is damaged",
        "Keep a copy, run `mandate ledger verify`, restore from a backup",
    ),
    ("SQLITE_NOTADB", "this is no ledger", "Keep a copy, and restore the file from a backup"),
    (
        "SQLITE_IOERR",
        "the disk does not take or give the ledger's data",
        "Check the disk and its quota, then ask again",
    ),
)


def not_recorded(error: sqlite3.Error, path: Path) -> NotRecorded:
    """The error in Mandate's terms. Raise it `from` the original."""
    code = str(getattr(error, "sqlite_errorname", ""))
    if code.startswith("SQLITE_CANTOPEN") and path.exists():
        code = "SQLITE_PERM"  # the file is there: it is its log that cannot be made beside it
    if code.startswith("SQLITE_CONSTRAINT"):
        return Refused(
            f"the ledger refuses the change ({error})",
            where=str(path),
            next_step="Run `mandate ledger verify`",
        )
    for beginning, meaning, next_step in _MEANINGS:
        if code.startswith(beginning):
            return NotRecorded(f"{meaning} ({error})", where=str(path), next_step=next_step)
    return NotRecorded(
        f"the ledger cannot be used ({error})", where=str(path), next_step="Run `mandate ledger verify`"
    )
