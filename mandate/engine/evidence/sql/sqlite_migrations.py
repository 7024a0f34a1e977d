"""The SQLite ledger's tables, one migration a version.

A migration that was released is never changed: `PRAGMA user_version` says how many a file has had. They are
not run by a migration tool, because they are what a ledger is held against as well: a table or a guard that
is not as the migrations make it was changed by somebody.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from ...errors import NotRecorded
from . import database

APPLICATION_ID = 0x4D414E44
"""`MAND` in the file's header: tells a ledger from any other SQLite file. The first migration writes it."""

_MIGRATIONS = database.migrations("sqlite")

NEWEST = len(_MIGRATIONS)


def version(connection: sqlite3.Connection, where: str) -> int:
    """The file's version. `NotRecorded` if it is no ledger, or one of a newer Mandate."""
    queries = database.queries("sqlite", "sqlite3")
    if queries.application_id(connection) != APPLICATION_ID:
        raise NotRecorded(
            "this is no ledger of Mandate", where=where, next_step="Point `ledger.path` to the ledger"
        )
    found = int(queries.version(connection))
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
    for migration in _MIGRATIONS[found:]:
        for statement in _statements(migration):
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
    return dict(database.queries("sqlite", "sqlite3").schema(connection))


def _statements(script: str) -> Iterator[str]:
    """One after the other: `executescript` would commit first, and triggers have semicolons within."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement.strip()
            statement = ""
