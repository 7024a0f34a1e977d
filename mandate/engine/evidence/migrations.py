"""The SQLite ledger's tables, one migration a version.

A migration that was released is never changed: `PRAGMA user_version` says how many a file has had.
"""

from __future__ import annotations

import sqlite3

from ..errors import NotRecorded

APPLICATION_ID = 0x4D414E44
"""`MAND` in the file's header: tells a ledger from any other SQLite file. The first migration writes it."""

_FIRST = (
    "PRAGMA application_id = 0x4D414E44",
    """
    CREATE TABLE ledger (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        origin TEXT NOT NULL,
        created_at TEXT NOT NULL
    ) STRICT
    """,
    # What entries are found and verified by, apart from their content: rows stay small, and reading a million
    # of them touches no envelope.
    """
    CREATE TABLE entries (
        position INTEGER PRIMARY KEY CHECK (position >= 0),
        id TEXT NOT NULL UNIQUE,
        kind TEXT NOT NULL,
        subject TEXT NOT NULL,
        outcome TEXT,
        recorded_at TEXT NOT NULL,
        leaf BLOB NOT NULL CHECK (length(leaf) = 32),
        chain BLOB NOT NULL CHECK (length(chain) = 32)
    ) STRICT
    """,
    """
    CREATE TABLE envelopes (
        position INTEGER PRIMARY KEY REFERENCES entries (position),
        envelope BLOB NOT NULL
    ) STRICT
    """,
    # INSERT OR REPLACE deletes the row that stands in its way, and no delete trigger fires for it unless
    # recursive_triggers is on. So whatever is there already must be refused here.
    """
    CREATE TRIGGER entries_append BEFORE INSERT ON entries BEGIN
        SELECT RAISE(ABORT, 'entries are appended without gaps')
        WHERE NEW.position IS NOT (SELECT coalesce(max(position) + 1, 0) FROM entries);
        SELECT RAISE(ABORT, 'the id is recorded already')
        WHERE EXISTS (SELECT 1 FROM entries WHERE id = NEW.id);
    END
    """,
    """
    CREATE TRIGGER envelopes_append BEFORE INSERT ON envelopes BEGIN
        SELECT RAISE(ABORT, 'the entry has its envelope already')
        WHERE EXISTS (SELECT 1 FROM envelopes WHERE position = NEW.position);
    END
    """,
    """
    CREATE TRIGGER ledger_once BEFORE INSERT ON ledger BEGIN
        SELECT RAISE(ABORT, 'the ledger has its name already') WHERE EXISTS (SELECT 1 FROM ledger);
    END
    """,
    """
    CREATE TRIGGER ledger_no_update BEFORE UPDATE ON ledger BEGIN
        SELECT RAISE(ABORT, 'the ledger is append-only');
    END
    """,
    """
    CREATE TRIGGER ledger_no_delete BEFORE DELETE ON ledger BEGIN
        SELECT RAISE(ABORT, 'the ledger is append-only');
    END
    """,
    """
    CREATE TRIGGER entries_no_update BEFORE UPDATE ON entries BEGIN
        SELECT RAISE(ABORT, 'the ledger is append-only');
    END
    """,
    """
    CREATE TRIGGER entries_no_delete BEFORE DELETE ON entries BEGIN
        SELECT RAISE(ABORT, 'the ledger is append-only');
    END
    """,
    """
    CREATE TRIGGER envelopes_no_update BEFORE UPDATE ON envelopes BEGIN
        SELECT RAISE(ABORT, 'the ledger is append-only');
    END
    """,
    """
    CREATE TRIGGER envelopes_no_delete BEFORE DELETE ON envelopes BEGIN
        SELECT RAISE(ABORT, 'the ledger is append-only');
    END
    """,
    "PRAGMA user_version = 1",
)

_MIGRATIONS: tuple[tuple[str, ...], ...] = (_FIRST,)

NEWEST = len(_MIGRATIONS)


def version(connection: sqlite3.Connection, where: str) -> int:
    """The file's version. `NotRecorded` if it is no ledger, or one of a newer Mandate."""
    if _number(connection, "PRAGMA application_id") != APPLICATION_ID:
        raise NotRecorded(
            "this is no ledger of Mandate", where=where, next_step="Point `ledger.path` to the ledger"
        )
    found = _number(connection, "PRAGMA user_version")
    if found > NEWEST:
        raise NotRecorded(
            f"a newer Mandate wrote this ledger (version {found}; this one knows {NEWEST})",
            where=where,
            next_step="Upgrade Mandate",
        )
    return found


def refuse_older(connection: sqlite3.Connection, where: str) -> None:
    """Return if the file has the newest tables, as reading demands; `NotRecorded` otherwise."""
    found = version(connection, where)
    if found < NEWEST:
        raise NotRecorded(
            f"an older Mandate wrote this ledger (version {found}), and it was opened only to be read",
            where=where,
            next_step="Record one decision with this version of Mandate, which migrates it",
        )


def migrate(connection: sqlite3.Connection, found: int) -> None:
    """Bring the file from version `found` to the newest, inside the caller's transaction."""
    for statements in _MIGRATIONS[found:]:
        for statement in statements:
            connection.execute(statement)


def expected() -> dict[str, str]:
    """The SQL of each table and trigger of the newest version by its name, as SQLite keeps it."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    try:
        migrate(connection, 0)
        return present(connection)
    finally:
        connection.close()


def present(connection: sqlite3.Connection) -> dict[str, str]:
    """The SQL of each table, trigger and view that the file has, by its name."""
    return dict(
        connection.execute(
            "SELECT name, sql FROM sqlite_schema WHERE type <> 'index' AND name NOT GLOB 'sqlite_*'"
        )
    )


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    return int(connection.execute(pragma).fetchone()[0])
