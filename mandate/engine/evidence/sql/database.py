"""What a database must do for the ledger. `SqlLedger` asks for nothing else and knows no database by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from functools import cache
from importlib import resources
from typing import Any, Protocol

from ...errors import NotRecorded

Connection = Any
"""A connection of Python's DB-API (PEP 249) with rows as tuples, outside of any transaction."""


class LostConnection(NotRecorded):
    """The database went away: whether the last commit was done, only the database knows."""


class Database(Protocol):
    """One database: how to reach it, and where it speaks another dialect than others."""

    @property
    def location(self) -> str:
        """Where it is, for messages; never a secret."""

    @property
    def queries(self) -> Any:
        """The queries of `queries.sql` and of the database's own file."""

    def query(self, sql: str) -> Any:
        """A query that is not in a file: called with a connection and its parameters, it gives rows."""

    def connect(self, *, appending: bool) -> Connection:
        """A connection to a ledger that is there, migrated; one that can only read unless `appending`."""

    def transaction(self, connection: Connection) -> AbstractContextManager[None]:
        """Everything or nothing, durably, and no other writer meanwhile."""

    def freeze(self, connection: Connection) -> None:
        """From now on, all reads of this connection see the same state."""

    def translated(self) -> AbstractContextManager[None]:
        """Errors of the database become `NotRecorded`, `Refused` or `LostConnection`."""

    def durability(self, connection: Connection) -> str:
        """By what a commit on a writer's connection survives a loss of power, as it is set."""

    def damage(self, connection: Connection) -> Iterator[str]:
        """What it finds wrong with its own files, and guards that are gone or changed."""


@cache
def queries(dialect: str, driver: str) -> Any:
    """The queries for `dialect`, for a driver as aiosql names it."""
    import aiosql

    texts = (script("queries.sql"), script(f"{dialect}.sql"))
    return aiosql.from_str("\n\n".join(texts), driver)


@cache
def query(sql: str, driver: str) -> Any:
    """A query that is put together: its parameters are written as those in the files."""
    import aiosql

    return aiosql.from_str(f"-- name: found\n{sql};", driver, mandatory_parameters=False).found


def script(name: str) -> str:
    """The text of a file of SQL in this package."""
    return (resources.files(__package__) / name).read_text(encoding="utf-8")


def migrations(dialect: str) -> tuple[str, ...]:
    """The migrations of a dialect, in order. One that was released is never changed."""
    folder = resources.files(__package__) / dialect
    return tuple(
        (folder / name).read_text(encoding="utf-8")
        for name in sorted(file.name for file in folder.iterdir() if file.name.endswith(".sql"))
    )


def changed(expected: Mapping[str, str], present: Mapping[str, str]) -> Iterator[str]:
    """What is not as the migrations made it: tables, guards, columns by name."""
    for name in sorted(expected.keys() | present.keys()):
        if name not in present:
            yield f"{name}, which guards or holds the entries, is gone"
        elif name not in expected:
            yield f"{name!a} does not belong into a ledger"
        elif present[name] != expected[name]:
            yield f"{name}, which guards or holds the entries, was changed"
