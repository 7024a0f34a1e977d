"""The embedded ledger: one SQLite file.

Durability: write-ahead log with `synchronous=FULL`, so the log is synced at each commit. With `NORMAL`,
SQLite's usual advice for WAL, a commit that was acknowledged could be lost with the power.

Writers take turns: `BEGIN IMMEDIATE` takes the write lock before the newest entry is read, so two processes
never give one index twice. The file's triggers refuse every other change, whoever makes it.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ..errors import BadConfiguration, NotRecorded
from . import migrations
from .ledger import Entry, Stored, first_chain, next_chain
from .predicate import rfc3339_milliseconds
from .refusals import not_recorded

_BUSY_SECONDS = 10.0
"""How long a writer waits for its turn."""

_SELECT = """
    SELECT e.position, e.id, e.kind, e.subject, e.outcome, e.recorded_at, CAST(v.envelope AS BLOB),
           CAST(e.leaf AS BLOB), CAST(e.chain AS BLOB)
    FROM entries AS e LEFT JOIN envelopes AS v ON v.position = e.position
"""
_AT = _SELECT + "WHERE e.position = ?"
_FROM = _SELECT + "WHERE e.position >= ? ORDER BY e.position"
# Not that of the last entry, if a clock was set back. Ids begin with the time, and have an index.
_LATEST = """
    SELECT max(created_at, coalesce((SELECT recorded_at FROM entries ORDER BY id DESC LIMIT 1), created_at))
    FROM ledger
"""
_BETWEEN = _SELECT + "WHERE e.id >= ? AND e.id < ? ORDER BY e.id LIMIT ?"


def create(path: Path, *, origin: str) -> None:
    """Make a new, empty ledger named `origin` at `path`, mode 0600.

    `BadConfiguration` if there is something already, or if the name is not one: it becomes the name of a
    signed note's key (C2SP), so it has no white space and no `+`. The file is made under another name and
    then linked, so nobody ever sees half a ledger, and of two who create it at once one fails.
    """
    if not origin or "+" in origin or any(letter.isspace() or not letter.isprintable() for letter in origin):
        raise BadConfiguration(
            f"{ascii(origin)[:100]} is no name for a ledger: it is empty, or has white space or a plus sign",
            where="ledger.name",
            next_step="Choose a name such as bank.example/models",
        )
    draft = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}.new")
    try:
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        try:
            with closing(_connect(draft, "rw")) as connection:
                connection.execute("PRAGMA journal_mode = WAL")
                with _transaction(connection):
                    migrations.migrate(connection, 0)
                    connection.execute(
                        "INSERT INTO ledger (one, origin, created_at) VALUES (1, ?, ?)",
                        (origin, rfc3339_milliseconds(datetime.now(UTC))),
                    )
            path.hardlink_to(draft)
            _sync_folder(path.parent)
        finally:
            draft.unlink()
    except OSError as error:
        raise BadConfiguration(
            f"the ledger cannot be created: {error.strerror}",
            where=str(path),
            next_step="Keep the ledger that is there, or choose another file; a ledger is never overwritten",
        ) from error
    except sqlite3.Error as error:
        raise not_recorded(error, path) from error


def open_for_appending(path: Path) -> SqliteLedger:
    """The ledger at `path`, migrated if it is older. `NotRecorded` if it cannot be used; never creates."""
    ledger = SqliteLedger(path, _writer)
    ledger.check()
    return ledger


def open_for_reading(path: Path) -> SqliteLedger:
    """The ledger at `path`, to be read only. `NotRecorded` if it cannot be."""
    ledger = SqliteLedger(path, _reader)
    ledger.check()
    return ledger


class SqliteLedger:
    """A `ledger.Store`. Threads may share one; a forked child must open its own."""

    def __init__(self, path: Path, connect: Callable[[Path], sqlite3.Connection]) -> None:
        self._path = path
        self._connect = connect
        self._connection: sqlite3.Connection | None = None
        self._origin: str | None = None
        self._lock = threading.Lock()

    @property
    def location(self) -> str:
        """The file's path."""
        return str(self._path)

    @property
    def origin(self) -> str:
        """The name that the ledger was created with."""
        if self._origin is None:
            with self._use() as connection:
                row = connection.execute("SELECT origin FROM ledger").fetchone()
            if row is None:
                raise NotRecorded(
                    "the ledger has lost its name", where=self.location, next_step="Restore it from a backup"
                )
            self._origin = str(row[0])
        return self._origin

    def check(self) -> None:
        """Return if the ledger can be opened and is one; `NotRecorded` otherwise."""
        _ = self.origin

    def append(self, entry: Entry) -> int:
        """Store the entry and its envelope; when this returns, both survive a loss of power."""
        origin = self.origin
        with self._use() as connection, _transaction(connection):
            newest = connection.execute(
                "SELECT position, chain FROM entries ORDER BY position DESC LIMIT 1"
            ).fetchone()
            position, chain = (newest[0] + 1, newest[1]) if newest else (0, first_chain(origin))
            connection.execute(
                "INSERT INTO entries (position, id, kind, subject, outcome, recorded_at, leaf, chain)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    position,
                    entry.id,
                    entry.kind,
                    entry.subject,
                    entry.outcome,
                    entry.recorded_at,
                    entry.leaf,
                    next_chain(chain, entry.leaf),
                ),
            )
            connection.execute(
                "INSERT INTO envelopes (position, envelope) VALUES (?, ?)", (position, entry.envelope)
            )
        return int(position)

    def latest(self) -> datetime:
        """The latest time at which an entry was recorded, or at which the ledger was made."""
        with self._use() as connection:
            row = connection.execute(_LATEST).fetchone()
        try:
            return datetime.fromisoformat(row[0]).astimezone(UTC)
        except (TypeError, ValueError, OverflowError) as error:
            raise NotRecorded(
                "the ledger does not say when its entries were recorded",
                where=self.location,
                next_step="Run `mandate ledger verify`, and restore the ledger from a backup",
            ) from error

    def count(self) -> int:
        """How many entries there are."""
        with self._use() as connection:
            return int(connection.execute("SELECT count(*) FROM entries").fetchone()[0])

    def at(self, index: int) -> Stored | None:
        """The entry with this index."""
        with self._use() as connection:
            row = connection.execute(_AT, (index,)).fetchone()
        return None if row is None else Stored(*row)

    def starting_with(self, prefix: str, limit: int) -> tuple[Stored, ...]:
        """The first `limit` entries whose id starts so. `g` comes after every character of an id."""
        with self._use() as connection:
            rows = connection.execute(_BETWEEN, (prefix, prefix + "g", limit)).fetchall()
        return tuple(Stored(*row) for row in rows)

    def entries(self, start: int = 0) -> Iterator[Stored]:
        """The entries from `start` on, by index, as they were when it began, on a connection of its own."""
        with self._translated(), closing(_reader(self._path)) as connection:
            for row in connection.execute(_FROM, (start,)):
                yield Stored(*row)

    def damage(self) -> Iterator[str]:
        """What SQLite finds wrong with the file; guards that are gone or changed; ids that stand twice."""
        with self._translated(), closing(_reader(self._path)) as connection:
            for (line,) in connection.execute("PRAGMA integrity_check(20)"):
                if line != "ok":
                    yield f"SQLite finds the file damaged: {ascii(line)[1:-1]}"
            expected, present = migrations.expected(), migrations.present(connection)
            for name in sorted(expected.keys() | present.keys()):
                if name not in present:
                    yield f"{name}, which guards or holds the entries, is gone"
                elif name not in expected:
                    yield f"{name!a} does not belong into a ledger"
                elif present[name] != expected[name]:
                    yield f"{name}, which guards or holds the entries, was changed"
            twice = "SELECT id FROM entries NOT INDEXED GROUP BY id HAVING count(*) > 1"
            for (entry_id,) in connection.execute(twice):
                yield f"the id {entry_id!a} stands at more than one entry"
            before = "SELECT position FROM entries WHERE position < 0"
            for (position,) in connection.execute(before):
                yield f"there is an entry {position}"
            stray = "SELECT position FROM envelopes WHERE position NOT IN (SELECT position FROM entries)"
            for (position,) in connection.execute(stray):
                yield f"there is an envelope {position} without an entry"

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._drop()

    @contextmanager
    def _use(self) -> Iterator[sqlite3.Connection]:
        """The connection, for one thread at a time."""
        with self._lock, self._translated():
            try:
                if self._connection is None:
                    self._connection = self._connect(self._path)
                yield self._connection
            except BaseException:
                # After a failed write nobody knows what the connection still holds in memory as written. A
                # new one reads what is on the disk.
                self._drop()
                raise

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise not_recorded(error, self._path) from error

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _writer(path: Path) -> sqlite3.Connection:
    """A connection that may append to an existing ledger, migrated."""
    connection = _connect(path, "rw")
    try:
        if migrations.version(connection, str(path)) < migrations.NEWEST:
            with _transaction(connection):
                # Asked again under the lock: another process may have done it.
                migrations.migrate(connection, migrations.version(connection, str(path)))
    except BaseException:
        connection.close()
        raise
    return connection


def _reader(path: Path) -> sqlite3.Connection:
    """A connection that can only read."""
    try:
        connection = _connect(path, "ro")
    except sqlite3.OperationalError:
        # A ledger on a read-only medium: SQLite cannot make the index of the write-ahead log beside it. That
        # is not needed where nothing can be written and no log is left to be read.
        log = path.with_name(f"{path.name}-wal")
        left_over = log.exists() and log.stat().st_size > 0
        if os.access(path.parent, os.W_OK) or left_over or not path.is_file():
            raise
        connection = _connect(path, "ro&immutable=1")
    try:
        connection.execute("PRAGMA query_only = ON")
        migrations.refuse_older(connection, str(path))
    except BaseException:
        connection.close()
        raise
    return connection


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    """A connection to an existing file, settled for the ledger's use; the first read has been made."""
    connection = sqlite3.connect(
        f"file:{quote(str(path.absolute()))}?mode={mode}",
        uri=True,
        timeout=_BUSY_SECONDS,
        isolation_level=None,  # transactions are begun by hand
        check_same_thread=False,  # SqliteLedger gives it to one thread at a time
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


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Everything or nothing, with the write lock held from the beginning."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _text(data: bytes) -> Any:
    return data.decode("utf-8", "backslashreplace")


def _sync_folder(folder: Path) -> None:
    """Make the new name in the folder survive a loss of power."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
