"""A ledger made anew from one that is read elsewhere: all of it, or nothing.

Entries and heads are stored as they are, under no new signature: whoever kept a head of the lost ledger can
hold the restored one against it. What is derived from the entries, the nodes of the tree, is derived again,
and must agree with each head on the way.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from ... import durably
from ...errors import BadConfiguration, BadInput, NotRecorded
from ..ledger import Entry, Reader
from ..log import checkpoint
from ..log.merkle import Frontier
from . import inserting, sqlite
from .database import Database
from .postgresql import PostgresqlDatabase
from .sqlite import SqliteDatabase


def into_file(lost: Reader, path: Path, root: bytes) -> None:
    """Restore into a new SQLite file at `path`; `root` is that of the tree that was verified.

    `BadConfiguration` if there is something already; `NotRecorded` if it cannot be written, or if what is
    read is not what was verified. The file gets its name when it is complete.
    """
    draft = durably.unused(path)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if path.exists():
            raise FileExistsError(17, "File exists")
        sqlite.create(draft, origin=lost.origin)
        restore(lost, SqliteDatabase(draft), root)
        # What is still in the write-ahead log would stay behind.
        with closing(sqlite3.connect(draft)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        path.hardlink_to(draft)
        durably.sync(path.parent)
    except OSError as error:
        raise BadConfiguration(
            f"the ledger cannot be restored there: {error.strerror}",
            where=str(path),
            next_step="Name a file that is not there yet; a ledger is never overwritten",
        ) from error
    finally:
        for suffix in ("", "-wal", "-shm"):
            with suppress(OSError):
                draft.with_name(draft.name + suffix).unlink()


def into_database(lost: Reader, url: str, root: bytes) -> str:
    """Restore into an empty ledger of the same name in PostgreSQL, in one transaction; returns its location.

    `BadConfiguration` if it is another one, or has entries.
    """
    database = PostgresqlDatabase(url)
    with database.translated(), closing(database.connect(appending=True)) as connection:
        origin, count = database.queries.origin(connection), database.queries.count(connection)
    if (origin, count) != (lost.origin, 0):
        raise BadConfiguration(
            f"this is the ledger {origin!a} with {count} entries, and not an empty one named {lost.origin!a}",
            where=database.location,
            next_step="Make a new one with `mandate ledger create --empty`; a ledger is never overwritten",
        )
    restore(lost, database, root)
    return database.location


def restore(lost: Reader, database: Database, root: bytes) -> None:
    """Restore into this ledger, which is empty; all of it, or nothing."""
    queries = database.queries
    with (
        database.translated(),
        closing(database.connect(appending=True)) as connection,
        database.transaction(connection),
    ):
        if queries.count(connection) > 0:
            raise _not_empty(database.location)
        frontier = Frontier()
        heads = lost.heads()
        head = next(heads, None)
        for stored in lost.entries():
            if stored.envelope is None:
                raise _changed(lost)
            entry = Entry(stored.id, stored.kind, stored.recorded_at, stored.columns, stored.envelope)
            inserting.entry(queries, connection, frontier.size, entry)
            frontier, made = frontier.append(entry.leaf)
            inserting.nodes(queries, connection, frontier.size - 1, made)
            while head is not None and head.size == frontier.size:
                if _root(head.checkpoint) != frontier.root:
                    raise _changed(lost)
                queries.append_head(connection, size=head.size, checkpoint=head.checkpoint)
                head = next(heads, None)
        for size, line in lost.cosigned():
            queries.append_cosignature(connection, size=size, line=line)
        if head is not None or frontier.root != root:
            raise _changed(lost)


def _root(data: bytes) -> bytes | None:
    try:
        return checkpoint.unverified(data)[0].root
    except BadInput:
        return None


def _changed(lost: Reader) -> NotRecorded:
    return NotRecorded(
        "it was changed while it was read",
        where=lost.location,
        next_step="Copy it to where nobody else writes, then import again",
    )


def _not_empty(where: str) -> BadConfiguration:
    return BadConfiguration(
        "it has entries already",
        where=where,
        next_step="Make a new one with `mandate ledger create --empty`",
    )
