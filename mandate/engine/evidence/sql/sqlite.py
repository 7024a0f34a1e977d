"""The embedded ledger: one SQLite file.

Durability: write-ahead log with `synchronous=FULL`, so the log is synced at each commit. With `NORMAL`,
SQLite's usual advice for WAL, a commit that was acknowledged could be lost with the power.

Writers take turns: `BEGIN IMMEDIATE` takes the write lock before the newest entry is read, so two processes
never give one index twice. The file's triggers refuse every other change, whoever makes it.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ... import durably
from ...errors import BadConfiguration
from ..keys import Signer
from ..names import checked_origin
from ..predicates.base import rfc3339_milliseconds
from . import database, sqlite_errors, sqlite_migrations
from .ledger import SqlLedger

_BUSY_SECONDS = 10.0
"""How long a writer waits for its turn."""


def create(path: Path, *, origin: str) -> None:
    """Make a new, empty ledger named `origin` at `path`, mode 0600.

    `BadConfiguration` if there is something already, or if the name is not one. The file is made under
    another name and then linked, so nobody ever sees half a ledger, and of two who create it at once one
    fails.
    """
    checked_origin(origin)
    draft = durably.unused(path)
    new = SqliteDatabase(draft)
    try:
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        try:
            with new.translated(), closing(new.opened("rw")) as connection:
                connection.execute("PRAGMA journal_mode = WAL")
                with new.transaction(connection):
                    sqlite_migrations.migrate(connection, 0)
                    new.queries.found(
                        connection, origin=origin, created_at=rfc3339_milliseconds(datetime.now(UTC))
                    )
            path.hardlink_to(draft)
            durably.sync(path.parent)
        finally:
            draft.unlink()
    except OSError as error:
        raise BadConfiguration(
            f"the ledger cannot be created: {error.strerror}",
            where=str(path),
            next_step="Keep the ledger that is there, or choose another file; a ledger is never overwritten",
        ) from error


def open_for_appending(path: Path, signer: Signer) -> SqlLedger:
    """The ledger at `path`, migrated if it is older; `signer` signs its heads.

    `NotRecorded` if it cannot be used; it is never created.
    """
    ledger = SqlLedger(SqliteDatabase(path), signer)
    ledger.check()
    return ledger


def open_for_reading(path: Path) -> SqlLedger:
    """The ledger at `path`, to be read only. `NotRecorded` if it cannot be."""
    ledger = SqlLedger(SqliteDatabase(path))
    ledger.check()
    return ledger


class SqliteDatabase:
    """A `database.Database` in a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def location(self) -> str:
        """The file's path."""
        return str(self._path)

    @property
    def queries(self) -> Any:
        """The queries in SQLite's dialect."""
        return database.queries("sqlite", "sqlite3")

    def query(self, sql: str) -> Any:
        """A query that is put together."""
        return database.query(sql, "sqlite3")

    def connect(self, *, appending: bool) -> sqlite3.Connection:
        """A connection to an existing ledger, migrated; or one that can only read."""
        return self._writer() if appending else self._reader()

    @contextmanager
    def transaction(self, connection: sqlite3.Connection) -> Iterator[None]:
        """Everything or nothing, with the write lock held from the beginning."""
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    def freeze(self, connection: sqlite3.Connection) -> None:
        """All reads see what the first one will see."""
        connection.execute("BEGIN")

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Errors of SQLite in Mandate's terms."""
        try:
            yield
        except sqlite3.Error as error:
            raise sqlite_errors.not_recorded(error, self._path) from error

    def durability(self, connection: sqlite3.Connection) -> str:
        """The journal, and when it is synced: 2 is FULL, at each commit."""
        (journal,) = connection.execute("PRAGMA journal_mode").fetchone()
        (synchronous,) = connection.execute("PRAGMA synchronous").fetchone()
        return f"SQLite, journal_mode {journal}, synchronous {synchronous}"

    def damage(self, connection: sqlite3.Connection) -> Iterator[str]:
        """What SQLite finds wrong with the file; guards that are gone or changed."""
        for (line,) in connection.execute("PRAGMA integrity_check(20)"):
            if line != "ok":
                yield f"SQLite finds the file damaged: {ascii(line)[1:-1]}"
        yield from database.changed(sqlite_migrations.expected(), sqlite_migrations.present(connection))

    def opened(self, mode: str) -> sqlite3.Connection:
        """A connection to an existing file, settled for the ledger's use; the first read has been made."""
        connection = sqlite3.connect(
            f"file:{quote(str(self._path.absolute()))}?mode={mode}",
            uri=True,
            timeout=_BUSY_SECONDS,
            isolation_level=None,  # transactions are begun by hand
            check_same_thread=False,  # SqlLedger gives it to one thread at a time
        )
        try:
            # Text that is no UTF-8 was not written by Mandate: it must reach the check that says so.
            connection.text_factory = _text
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
            # What stands in the file's schema was perhaps not written by Mandate either.
            connection.execute("PRAGMA trusted_schema = OFF")
            connection.execute("PRAGMA cell_size_check = ON")
            connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        except BaseException:
            connection.close()
            raise
        return connection

    def _writer(self) -> sqlite3.Connection:
        connection = self.opened("rw")
        try:
            if sqlite_migrations.version(connection, self.location) < sqlite_migrations.NEWEST:
                with self.transaction(connection):
                    # Asked again under the lock: another process may have done it.
                    found = sqlite_migrations.version(connection, self.location)
                    sqlite_migrations.migrate(connection, found)
        except BaseException:
            connection.close()
            raise
        return connection

    def _reader(self) -> sqlite3.Connection:
        try:
            connection = self.opened("ro")
        except sqlite3.OperationalError:
            # A ledger on a read-only medium: SQLite cannot make the index of the write-ahead log beside it.
            # That is not needed where nothing can be written and no log is left to be read.
            log = self._path.with_name(f"{self._path.name}-wal")
            left_over = log.exists() and log.stat().st_size > 0
            if os.access(self._path.parent, os.W_OK) or left_over or not self._path.is_file():
                raise
            connection = self.opened("ro&immutable=1")
        try:
            connection.execute("PRAGMA query_only = ON")
            sqlite_migrations.refuse_older(connection, self.location)
        except BaseException:
            connection.close()
            raise
        return connection


def _text(data: bytes) -> Any:
    return data.decode("utf-8", "backslashreplace")
