"""The shared ledger: a schema in a PostgreSQL database, for several writers on several machines.

Durability: `synchronous_commit` is at least `on`, so the write-ahead log is on the disk at each commit (and
on a synchronous standby, where the server has one). A server with `fsync` or `full_page_writes` off is
refused: what it acknowledges, it can lose.

Writers take turns by an advisory lock. The triggers refuse every change of what is there, whoever makes it;
besides, the roles of writers and auditors have no right to: see `grant`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ...errors import BadConfiguration, NotRecorded
from ..keys import Signer
from ..names import checked_origin
from ..predicates.base import rfc3339_milliseconds
from . import database
from .database import LostConnection
from .group import Refused
from .ledger import SqlLedger

if TYPE_CHECKING:
    import psycopg
    from psycopg.sql import Composed

SCHEMA = "mandate"
"""Where the ledger's tables are, in the database that the URL names."""
_CONNECT_SECONDS = 10
_BUSY_MILLISECONDS = 10_000
"""How long a writer waits for its turn."""
_STATEMENT_MILLISECONDS = 600_000
_MIGRATIONS = database.migrations("postgresql")
_OFF = "off"
_DURABLE = frozenset({"on", "remote_apply"})


def create(url: str, *, origin: str, writer: str | None = None, auditor: str | None = None) -> None:
    """Make a new, empty ledger named `origin` in the database at `url`, as its owner; for roles, see `grant`.

    `BadConfiguration` if there is one already, or if the name is not one; `NotRecorded` if the database
    refuses. All of it is made, or nothing.
    """
    checked_origin(origin)
    new = PostgresqlDatabase(url)
    with new.translated(), closing(new.opened()) as connection, new.transaction(connection, turn=False):
        if new.queries.has_schema(connection, name=SCHEMA):
            raise BadConfiguration(
                f"there is a schema {SCHEMA} already",
                where=new.location,
                next_step="Keep the ledger that is there, or choose another database",
            )
        connection.execute(f"CREATE SCHEMA {SCHEMA}")
        for migration in _MIGRATIONS:
            connection.execute(migration.encode())
        new.queries.found(connection, origin=origin, created_at=rfc3339_milliseconds(datetime.now(UTC)))
        _grant(connection, writer, auditor)


def grant(url: str, *, writer: str | None = None, auditor: str | None = None) -> None:
    """Let the role `writer` append and read, and the role `auditor` read, and no more; as the owner.

    Roles that have been granted more before lose it. `NotRecorded` if there is no ledger, or if the database
    refuses, for one that does not exist.
    """
    owned = PostgresqlDatabase(url)
    with owned.translated(), closing(owned.opened()) as connection, owned.transaction(connection, turn=False):
        owned.version(connection)
        _grant(connection, writer, auditor)


def migrate(url: str) -> int:
    """Bring the ledger at `url` to the form that this version knows, as its owner. How many steps it took.

    `NotRecorded` if there is none, if a newer Mandate made it, or if the database refuses.
    """
    owned = PostgresqlDatabase(url)
    with owned.translated(), closing(owned.opened()) as connection, owned.transaction(connection):
        missing = _MIGRATIONS[owned.version(connection) :]
        for migration in missing:
            connection.execute(migration.encode())
    return len(missing)


def _grant(connection: psycopg.Connection, writer: str | None, auditor: str | None) -> None:
    from psycopg import sql

    for role, right in ((writer, "SELECT, INSERT"), (auditor, "SELECT")):
        if role is None:
            continue
        for statement in (
            "REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {role}",
            "REVOKE ALL ON SCHEMA {schema} FROM {role}",
            "GRANT USAGE ON SCHEMA {schema} TO {role}",
            f"GRANT {right} ON ALL TABLES IN SCHEMA {{schema}} TO {{role}}",
            "REVOKE INSERT ON {schema}.ledger, {schema}.migrations FROM {role}",
        ):
            connection.execute(_composed(sql.SQL(statement), role))


def open_for_appending(url: str, signer: Signer) -> SqlLedger:
    """The ledger at `url`; `signer` signs its heads. `NotRecorded` if it cannot be used."""
    ledger = SqlLedger(PostgresqlDatabase(url), signer)
    ledger.check()
    return ledger


def open_for_reading(url: str) -> SqlLedger:
    """The ledger at `url`, to be read only. `NotRecorded` if it cannot be."""
    ledger = SqlLedger(PostgresqlDatabase(url))
    ledger.check()
    return ledger


class PostgresqlDatabase:
    """A `database.Database` on a server."""

    def __init__(self, url: str) -> None:
        """`BadConfiguration` if what talks to it is not installed."""
        self._url = url
        try:
            import psycopg  # noqa: F401  (only whether it is there)
        except ImportError as error:
            raise BadConfiguration(
                "what talks to PostgreSQL is not installed",
                where=self.location,
                next_step="Run `pip install 'mandate[postgresql]'`",
            ) from error

    @property
    def location(self) -> str:
        """The URL without a password and without parameters."""
        return re.sub(r"(?<=://)([^/@:]*):[^/@]*@", r"\1@", self._url).partition("?")[0]

    @property
    def queries(self) -> Any:
        """The queries in PostgreSQL's dialect."""
        return database.queries("postgresql", "psycopg")

    def query(self, sql: str) -> Any:
        """A query that is put together."""
        return database.query(sql, "psycopg")

    def connect(self, *, appending: bool) -> psycopg.Connection:
        """A connection to an existing ledger; one that can only read unless `appending`."""
        connection = self.opened()
        try:
            self._refuse_older(connection)
            if appending:
                self._refuse_forgetful(connection)
            else:
                connection.execute("SET default_transaction_read_only = on")
        except BaseException:
            connection.close()
            raise
        return connection

    @contextmanager
    def transaction(self, connection: psycopg.Connection, *, turn: bool = True) -> Iterator[None]:
        """Everything or nothing; with its `turn`, no other writer meanwhile."""
        self.queries.begin(connection)
        try:
            if turn:
                self.queries.take_turn(connection)
            yield
            self.queries.commit(connection)
        except BaseException:
            if not connection.closed:
                self._rolled_back(connection)
            raise

    def freeze(self, connection: psycopg.Connection) -> None:
        """All reads see what the first one will see."""
        self.queries.begin_snapshot(connection)

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Errors of PostgreSQL in Mandate's terms."""
        import psycopg

        try:
            yield
        except psycopg.Error as error:
            raise self._not_recorded(error) from error

    def durability(self, connection: psycopg.Connection) -> str:
        """What the server says."""
        fsync, pages, commit = self.queries.durability(connection)
        return f"PostgreSQL, fsync {fsync}, full_page_writes {pages}, synchronous_commit {commit}"

    def damage(self, connection: psycopg.Connection) -> Iterator[str]:
        """Guards, columns and constraints that are gone, changed or new. The server checks its own files."""
        yield from database.changed(_expected(), dict(self.queries.objects(connection)))

    def opened(self) -> psycopg.Connection:
        """A connection, settled for the ledger's use. Transactions are begun by hand."""
        import psycopg

        return psycopg.connect(
            self._url,
            autocommit=True,
            connect_timeout=_CONNECT_SECONDS,
            application_name="mandate",
            options=(
                f"-c search_path={SCHEMA},pg_catalog -c lock_timeout={_BUSY_MILLISECONDS}"
                f" -c statement_timeout={_STATEMENT_MILLISECONDS} -c client_encoding=UTF8"
            ),
        )

    def version(self, connection: psycopg.Connection) -> int:
        """The ledger's version. `NotRecorded` if there is none, or one of a newer Mandate."""
        if not self.queries.has_ledger(connection):
            raise NotRecorded(
                "there is no ledger in this database",
                where=self.location,
                next_step="Make one with `mandate ledger create`, as the database's owner",
            )
        found = int(self.queries.version(connection))
        if found > len(_MIGRATIONS):
            raise NotRecorded(
                f"a newer Mandate made this ledger (version {found}; this one knows {len(_MIGRATIONS)})",
                where=self.location,
                next_step="Upgrade Mandate",
            )
        return found

    def _refuse_older(self, connection: psycopg.Connection) -> None:
        found = self.version(connection)
        if found < len(_MIGRATIONS):
            raise NotRecorded(
                f"an older Mandate made this ledger (version {found})",
                where=self.location,
                next_step="Run `mandate ledger migrate`, as the database's owner",
            )

    def _refuse_forgetful(self, connection: psycopg.Connection) -> None:
        """A server that acknowledges what it can lose keeps no evidence; a standby takes none."""
        fsync, pages, commit = self.queries.durability(connection)
        for name, value in (("fsync", fsync), ("full_page_writes", pages)):
            if value == _OFF:
                raise NotRecorded(
                    f"the server can lose what it acknowledges: {name} is off",
                    where=self.location,
                    next_step=f"Set {name} = on in the server's configuration",
                )
        if commit not in _DURABLE:
            connection.execute("SET synchronous_commit = on")
        if self.queries.in_recovery(connection):
            raise NotRecorded(
                "this server is a standby, which takes no entries",
                where=self.location,
                next_step="Point ledger.url to the primary",
            )

    def _rolled_back(self, connection: psycopg.Connection) -> None:
        import psycopg

        try:
            self.queries.rollback(connection)
        except psycopg.Error:
            connection.close()  # the server rolls back what a lost connection has begun

    def _not_recorded(self, error: psycopg.Error) -> NotRecorded:
        said = _first_line(error)
        state = error.sqlstate or _state(error)
        if not state or state.startswith(_LOST):
            return LostConnection(
                f"the database cannot be reached, or went away ({said})",
                where=self.location,
                next_step="Check ledger.url and that the server runs, then ask again",
            )
        for beginning, meaning, next_step in _MEANINGS:
            if state.startswith(beginning):
                kind = Refused if beginning in _OF_THE_ENTRY else NotRecorded
                return kind(f"{meaning} ({said})", where=self.location, next_step=next_step)
        return NotRecorded(
            f"the ledger cannot be used ({said})",
            where=self.location,
            next_step="Look into the server's log, and run `mandate ledger verify`",
        )


def _expected() -> dict[str, str]:
    """What `objects` finds in a ledger that nobody has touched. A new one must find the same: tested."""
    expected: dict[str, str] = json.loads(database.script("postgresql_objects.json"))
    return expected


_LOST = ("08", "57P")
"""SQLSTATEs begin so if the connection failed, or the server ends. None at all: the client lost it."""
_OF_THE_ENTRY = ("22", "23", "54")
"""They begin so where it is the entry that is wrong, and others may be right."""
_MEANINGS = (
    # SQLSTATE begins with, what it means, what to do: the first that fits.
    ("23", "the ledger refuses the change", "Run `mandate ledger verify`"),
    ("25006", "the ledger is read-only here", "Open it for appending, as a role that may"),
    ("28", "the database does not let this role in", "Check the role, and its password in PGPASSFILE"),
    ("3D", "there is no such database", "Correct ledger.url"),
    ("42501", "the role may not do this", "Ask the ledger's owner to grant it, see `mandate ledger grant`"),
    ("42704", "there is no such role", "Name a role that exists"),
    ("54", "the database cannot keep a name that is so long", "Give the model a shorter name"),
    ("53", "the server has no room", "Make room on the server, then ask again"),
    ("55P03", "another process holds the ledger", "Ask again; end the process that holds it"),
    ("57014", "the server took too long", "Ask again"),
    ("58", "the server's disk does not take or give the ledger's data", "Check the server's disk"),
    ("XX", "the ledger is damaged", "Keep a copy, run `mandate ledger verify`, restore from a backup"),
    ("42", "this is no ledger that this Mandate knows", "Run `mandate ledger verify`"),
    ("22", "the database cannot keep this text", "Look for a NUL character in a name"),
)


def _state(error: psycopg.Error) -> str:
    """What the client itself refuses to send has no SQLSTATE: it is data (22) that no text can hold."""
    from psycopg import DataError

    return "22" if isinstance(error, DataError) else ""


def _first_line(error: psycopg.Error) -> str:
    return ascii(str(error).strip().partition("\n")[0])[1:-1][:300] or type(error).__name__


def _composed(statement: Any, role: str) -> Composed:
    from psycopg import sql

    composed: Composed = statement.format(schema=sql.Identifier(SCHEMA), role=sql.Identifier(role))
    return composed
