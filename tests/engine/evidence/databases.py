"""A ledger in each database, as its users have it, and as somebody has it who goes around Mandate."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol

import psycopg

from mandate.engine.evidence.keys import Signer
from mandate.engine.evidence.sql import postgresql, sqlite
from mandate.engine.evidence.sql.database import Database
from mandate.engine.evidence.sql.ledger import SqlLedger
from mandate.engine.evidence.sql.postgresql import PostgresqlDatabase
from mandate.engine.evidence.sql.sqlite import SqliteDatabase


class Home(Protocol):
    """Where a ledger is."""

    refusals: ClassVar[tuple[type[Exception], ...]]
    """What the driver raises if the database refuses a change."""

    @property
    def where(self) -> str:
        """The path or URL, as a process is told it."""

    @property
    def database(self) -> Database:
        """The database."""

    def bytes(self, data: bytes) -> str:
        """The bytes as a literal of SQL."""

    def create(self, origin: str) -> None:
        """Make the ledger."""

    def appending(self, signer: Signer) -> SqlLedger:
        """It, open for appending."""

    def reading(self) -> SqlLedger:
        """It, to be read only."""

    def execute(self, *statements: str) -> None:
        """Go around Mandate, as the owner of everything."""

    def tamper(self, *statements: str) -> None:
        """Go around Mandate and its guards, which are afterwards as they were."""


@dataclass(frozen=True)
class SqliteHome:
    """A file."""

    refusals: ClassVar[tuple[type[Exception], ...]] = (sqlite3.IntegrityError,)

    path: Path

    @property
    def where(self) -> str:
        return str(self.path)

    @property
    def database(self) -> Database:
        return SqliteDatabase(self.path)

    def bytes(self, data: bytes) -> str:
        return f"x'{data.hex()}'"

    def create(self, origin: str) -> None:
        sqlite.create(self.path, origin=origin)

    def appending(self, signer: Signer) -> SqlLedger:
        return sqlite.open_for_appending(self.path, signer)

    def reading(self) -> SqlLedger:
        return sqlite.open_for_reading(self.path)

    def execute(self, *statements: str) -> None:
        with self._raw() as raw:
            for statement in statements:
                raw.execute(statement)

    def tamper(self, *statements: str) -> None:
        with self._raw() as raw:
            guards = raw.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").fetchall()
            for name, _ in guards:
                raw.execute(f"DROP TRIGGER {name}")
            for statement in statements:
                raw.execute(statement)
            for _, guard in guards:
                raw.execute(guard)

    @contextmanager
    def _raw(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self.path, isolation_level=None)) as raw:
            yield raw


@dataclass(frozen=True)
class PostgresqlHome:
    """A database on a server."""

    refusals: ClassVar[tuple[type[Exception], ...]] = (psycopg.errors.IntegrityError,)

    url: str

    @property
    def where(self) -> str:
        return self.url

    @property
    def database(self) -> Database:
        return PostgresqlDatabase(self.url)

    def bytes(self, data: bytes) -> str:
        return rf"'\x{data.hex()}'"

    def create(self, origin: str) -> None:
        postgresql.create(self.url, origin=origin)

    def appending(self, signer: Signer) -> SqlLedger:
        return postgresql.open_for_appending(self.url, signer)

    def reading(self) -> SqlLedger:
        return postgresql.open_for_reading(self.url)

    def execute(self, *statements: str) -> None:
        with closing(PostgresqlDatabase(self.url).opened()) as raw:
            for statement in statements:
                raw.execute(statement.encode())

    def tamper(self, *statements: str) -> None:
        # For the session that does so, triggers do not fire and foreign keys do not hold.
        self.execute("SET session_replication_role = replica", *statements)
