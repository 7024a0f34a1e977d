"""A `ledger.Store` in a database.

An append is one transaction, in which no other writer appends: the newest head is held against the tree, the
entries and the nodes that they complete are added, and a new head is signed over all. So two writers never
fork the tree, and nothing is ever signed on top of a tree that the last head does not agree with.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from ...errors import BadInput, NotRecorded
from ..columns import Columns, Mention
from ..keys import Signer
from ..ledger import Entry, Head, Outdated, Place, Stored
from ..log import checkpoint
from ..log.checkpoint import Checkpoint
from ..log.merkle import Frontier, leaf_hash
from ..query import MOST, Page, Query
from . import inserting
from .database import Connection, Database, LostConnection
from .group import GroupCommit, Refused
from .search import search

_PAGE = 256
"""Rows that are read at once: what a reader keeps in memory."""
_LAST = 2**63 - 1
_NEVER = "~"
"""Sorts after every instant."""
_VERIFY = "Run `mandate ledger verify`, and keep a copy of the ledger as it is"


class OutdatedEntry(Outdated, Refused):
    """The entry's premise does not hold: it is refused, and others that are stored with it are not."""


class SqlLedger:
    """A `ledger.Store`. Threads may share one; a forked child must open its own.

    `signer` signs the heads; without one, nothing can be appended.
    """

    def __init__(self, database: Database, signer: Signer | None = None) -> None:
        self._database = database
        self._signer = signer
        self._queries = database.queries
        self._connection: Connection | None = None
        self._origin: str | None = None
        self._known: tuple[Frontier, bytes] | None = None
        """The tree after what this process appended last, and the last leaf."""
        self._snapshot: Connection | None = None
        """The connection of all reads, if they are to see one state."""
        self._lock = threading.Lock()
        self._group = GroupCommit(self._stored)

    @property
    def location(self) -> str:
        """Where the database is."""
        return self._database.location

    @property
    def origin(self) -> str:
        """The name that the ledger was created with."""
        if self._origin is None:
            with self._use() as connection:
                origin = self._queries.origin(connection)
            if origin is None:
                raise NotRecorded(
                    "the ledger has lost its name", where=self.location, next_step="Restore it from a backup"
                )
            self._origin = str(origin)
        return self._origin

    def check(self) -> None:
        """Return if the ledger can be opened and is one; `NotRecorded` otherwise, and it is let go of."""
        try:
            _ = self.origin
        except NotRecorded:
            self.close()
            raise

    def ready(self) -> None:
        """Return if the ledger takes entries now; `NotRecorded` if not."""
        with self._use() as connection, self._database.transaction(connection):
            self._queries.newest(connection)

    def append(self, entry: Entry) -> Place:
        """Store the entry; when this returns, it and its head survive a loss of power."""
        (place,) = self._group((entry,))
        return place

    def append_all(self, entries: Sequence[Entry]) -> tuple[Place, ...]:
        """Store all of them or none, under one head."""
        return tuple(self._group(entries))

    def cosign(self, size: int, line: bytes) -> None:
        """Keep a witness's signature, which has been verified."""
        with self._use() as connection, self._database.transaction(connection):
            self._queries.append_cosignature(connection, size=size, line=line)

    def latest(self) -> datetime:
        """The latest time at which an entry was recorded, or at which the ledger was made."""
        with self._use() as connection:
            made, recorded = self._queries.created_at(connection), self._queries.latest(connection)
        try:
            return max(datetime.fromisoformat(time).astimezone(UTC) for time in (made, recorded or made))
        except (TypeError, ValueError, OverflowError) as error:
            raise NotRecorded(
                "the ledger does not say when its entries were recorded",
                where=self.location,
                next_step="Run `mandate ledger verify`, and restore the ledger from a backup",
            ) from error

    def count(self) -> int:
        """How many entries there are: the last one's index, and one."""
        with self._use() as connection:
            return int(self._queries.count(connection))

    def at(self, index: int) -> Stored | None:
        """The entry with this index."""
        if not 0 <= index < 2**63:
            return None
        with self._use() as connection:
            return self._one(connection, self._queries.at(connection, position=index))

    def requested(self, key: str) -> Stored | None:
        """The entry that answers the request with this key."""
        with self._use() as connection:
            return self._one(connection, self._queries.requested(connection, request_key=key))

    def starting_with(self, prefix: str, limit: int) -> tuple[Stored, ...]:
        """The first `limit` entries whose id starts so. `g` comes after every character of an id."""
        with self._use() as connection:
            rows = list(self._queries.between(connection, first=prefix, end=prefix + "g", most=limit))
            found = (self._one(connection, row) for row in rows)
            return tuple(stored for stored in found if stored is not None)

    def of_kind(self, kind: str, start: int = 0) -> Iterator[Stored]:
        """The entries of a predicate type, by index."""
        with self._reading() as connection:
            while rows := list(self._queries.of_kind(connection, kind=kind, start=start, most=_PAGE)):
                yield from filter(None, (self._one(connection, row) for row in rows))
                start = rows[-1][0] + 1

    def search(self, query: Query, *, before: int | None = None, most: int = MOST) -> Page:
        """The newest `most` entries before the index `before` that are as `query` says."""
        before = _LAST if before is None else min(before, _LAST)
        with self._use() as connection:
            first = 0
            if query.since is not None or query.until is not None:
                times = {"since": query.since or "", "until": query.until or _NEVER}
                earliest, latest = self._queries.span(connection, **times)
                if earliest is None:
                    return Page((), None)
                first, before = earliest, min(before, latest + 1)
            wanted = search(query, before=before, most=most + 1, first=first)
            positions = [row[0] for row in self._database.query(wanted.sql)(connection, **wanted.parameters)]
            found = [
                self._one(connection, self._queries.at(connection, position=position))
                for position in positions[:most]
            ]
        more = positions[most - 1] if len(positions) > most else None
        return Page(tuple(stored for stored in found if stored is not None), more)

    def entries(self, start: int = 0) -> Iterator[Stored]:
        """The entries from `start` on, by index, as they were when it began, on a connection of its own."""
        with self._reading() as connection:
            for rows in self._pages(connection, start):
                first, last = rows[0][0], rows[-1][0]
                mentioned: dict[int, list[Mention]] = {}
                for position, kind, name in self._queries.mentions(connection, first=first, last=last):
                    mentioned.setdefault(position, []).append(Mention(kind, name))
                for row in rows:
                    yield _stored(row, mentioned.get(row[0], ()))

    def _pages(self, connection: Connection, start: int) -> Iterator[list[Any]]:
        """Rows of entries; up to one that cannot be read, if there is one."""
        most, failed = _PAGE, None
        while True:
            try:
                with self._database.translated():
                    rows = list(self._queries.page(connection, start=start, most=most))
            except NotRecorded as error:
                if failed is not None:
                    raise failed from error
                most, failed = 1, error  # what stands before it is read one by one
                continue
            if not rows:
                return
            yield rows
            start = rows[-1][0] + 1

    def head(self) -> Head | None:
        """The newest signed head."""
        with self._use() as connection:
            return _head(self._queries.head(connection))

    def heads(self, start: int = 0) -> Iterator[Head]:
        """The heads of at least `start` entries, by size, as they were when it began."""
        with self._reading() as connection:
            while rows := list(self._queries.heads(connection, start=start, most=_PAGE)):
                yield from (Head(size, _bytes(data)) for size, data in rows)
                start = rows[-1][0] + 1

    def cosignatures(self, size: int) -> tuple[bytes, ...]:
        """Signature lines of witnesses under the head of this size."""
        with self._use() as connection:
            return tuple(_bytes(line) for (line,) in self._queries.cosignatures(connection, size=size))

    def cosigned(self) -> Iterator[tuple[int, bytes]]:
        """Signature lines of witnesses under all heads, as they were when it began."""
        size, number = 0, 0
        with self._reading() as connection:
            while rows := list(self._queries.cosigned(connection, size=size, number=number, most=_PAGE)):
                yield from ((row[0], _bytes(row[2])) for row in rows)
                size, number = rows[-1][0], rows[-1][1]

    def node(self, level: int, number: int) -> bytes:
        """The hash of a complete subtree."""
        with self._use() as connection:
            return self._node(connection, level, number)

    def nodes(self, start: int = 0) -> Iterator[tuple[int, int, bytes]]:
        """The complete subtrees by the entry that completed each, as they were when it began."""
        level = 0
        with self._reading() as connection:
            while rows := list(self._queries.nodes(connection, start=start, level=level, most=_PAGE)):
                yield from ((position, level, _bytes(hash_)) for position, level, hash_ in rows)
                start, level = rows[-1][0], rows[-1][1]

    def damage(self) -> Iterator[str]:
        """What is wrong with the database itself; ids that stand twice; what belongs to no entry."""
        with self._reading() as connection:
            yield from self._database.damage(connection)
            for (entry_id,) in self._queries.ids_twice(connection):
                yield f"the id {entry_id!a} stands at more than one entry"
            for (position,) in self._queries.before_the_first(connection):
                yield f"there is an entry {position}"
            for what, position in self._queries.strays(connection):
                of = "a head" if what == "cosignature" else "an entry"
                yield f"there is {'an' if what == 'envelope' else 'a'} {what} {position} without {of}"

    def durability(self) -> str:
        """Which database keeps it, and by which settings its commits survive a loss of power."""
        with self._use() as connection:
            return self._database.durability(connection)

    def close(self) -> None:
        """Let go of the database."""
        with self._lock:
            self._drop()

    def _stored(self, entries: Sequence[Entry]) -> Sequence[Place]:
        """Store what waits. A connection that is lost on the way is made anew, once."""
        if self._signer is None:
            raise NotRecorded(
                "the ledger is read-only here", where=self.location, next_step="Open it for appending"
            )
        origin = self.origin
        try:
            return self._in_one_transaction(entries, origin, self._signer)
        except LostConnection:
            # In its turn: by then, what was under way when the connection was lost has ended.
            with self._use() as connection, self._database.transaction(connection):
                if (places := self._places(connection, entries)) is not None:
                    return places  # it was the answer that got lost, and not the commit
            return self._in_one_transaction(entries, origin, self._signer)

    def _in_one_transaction(self, entries: Sequence[Entry], origin: str, signer: Signer) -> Sequence[Place]:
        places: list[tuple[int, str]] = []
        with self._use() as connection:
            self._known, known = None, self._known  # nobody knows after an error
            with self._database.transaction(connection):
                frontier, leaf = self._tree(connection, known, origin)
                before = frontier.size
                for entry in entries:
                    if (there := self._answered(connection, entry)) is not None:
                        places.append(there)
                        continue
                    self._hold(connection, entry)
                    inserting.entry(self._queries, connection, frontier.size, entry)
                    places.append((frontier.size, entry.id))
                    frontier, made = frontier.append(leaf := entry.leaf)
                    inserting.nodes(self._queries, connection, frontier.size - 1, made)
                if frontier.size > before:
                    head = Checkpoint(origin, frontier.size, frontier.root)
                    self._queries.append_head(
                        connection, size=frontier.size, checkpoint=checkpoint.signed(head, signer)
                    )
            self._known = frontier, leaf
        return [Place(index, frontier.size, id_) for index, id_ in places]

    def _hold(self, connection: Connection, entry: Entry) -> None:
        """Return if the entry's premise holds; `OutdatedEntry` otherwise."""
        if (premise := entry.premise) is None:
            return
        for kind in premise.kinds:
            latest = int(self._queries.latest_of_kind(connection, kind=kind))
            if latest > premise.latest:
                raise OutdatedEntry(
                    f"entry {latest} was recorded meanwhile", where=self.location, next_step="Try again"
                )

    def _tree(
        self, connection: Connection, known: tuple[Frontier, bytes] | None, origin: str
    ) -> tuple[Frontier, bytes]:
        """The tree as it is, which the newest head agrees with, and the last leaf."""
        newest = self._queries.newest(connection)
        size, leaf = (newest[0] + 1, _bytes(newest[1])) if newest else (0, b"")
        if known is not None and (known[0].size, known[1]) == (size, leaf):
            return known
        frontier = Frontier.of(size, lambda level, number: self._node(connection, level, number))
        head = _head(self._queries.head(connection))
        try:
            signed = (
                checkpoint.unverified(head.checkpoint)[0]
                if head is not None
                else Checkpoint(origin, 0, Frontier().root)
            )
        except BadInput as error:
            raise self._damaged(f"its newest head is none: {error.what}") from error
        if signed != Checkpoint(origin, size, frontier.root):
            raise self._damaged(
                f"its newest head, over {signed.size} entries, does not agree with the {size} entries"
            )
        return frontier, leaf

    def _damaged(self, what: str) -> NotRecorded:
        return NotRecorded(f"the ledger is damaged: {what}", where=self.location, next_step=_VERIFY)

    def _answered(self, connection: Connection, entry: Entry) -> tuple[int, str] | None:
        """Where the entry with the same request key stands, if there is one."""
        if (key := entry.columns.request_key) is None:
            return None
        row = self._queries.place_of_request(connection, request_key=key)
        return None if row is None else (int(row[0]), str(row[1]))

    def _places(self, connection: Connection, entries: Sequence[Entry]) -> list[Place] | None:
        """Where the entries stand; `None` if they were not stored: all were, or none."""
        places = []
        for entry in entries:
            row = self._queries.place_of(connection, id=entry.id)
            if row is not None and _bytes(row[1]) != entry.leaf:
                raise Refused("the id is recorded already", where=self.location)
            place = (int(row[0]), entry.id) if row is not None else self._answered(connection, entry)
            if place is None:
                return None
            head = _head(self._queries.head_over(connection, position=place[0]))
            places.append(Place(place[0], place[0] + 1 if head is None else head.size, place[1]))
        return places

    def _node(self, connection: Connection, level: int, number: int) -> bytes:
        position = ((number + 1) << level) - 1
        if level == 0:
            leaf = self._queries.leaf(connection, position=position)
            found = None if leaf is None else leaf_hash(_bytes(leaf))
        else:
            stored = self._queries.node(connection, position=position, level=level)
            found = None if stored is None else _bytes(stored)
        if found is None:
            raise self._damaged(f"node {number} of level {level} of its tree is gone")
        return found

    def _one(self, connection: Connection, row: Any) -> Stored | None:
        if row is None:
            return None
        mentioned = self._queries.mentions(connection, first=row[0], last=row[0])
        return _stored(row, [Mention(kind, name) for _, kind, name in mentioned])

    @contextmanager
    def snapshot(self) -> Iterator[SqlLedger]:
        """The same ledger to be read as it is now, whatever is appended meanwhile. For one thread."""
        frozen = SqlLedger(self._database)
        with self._reading() as connection:
            frozen._snapshot = connection
            yield frozen

    @contextmanager
    def _use(self) -> Iterator[Connection]:
        """The connection, for one thread at a time."""
        with self._lock, self._database.translated():
            if self._snapshot is not None:
                yield self._snapshot
                return
            try:
                if self._connection is None:
                    self._connection = self._database.connect(appending=self._signer is not None)
                yield self._connection
            except BaseException:
                # After a failed write nobody knows what the connection still holds in memory as written. A
                # new one reads what is on the disk.
                self._drop()
                raise

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        """A connection of its own, on which nothing changes."""
        with self._database.translated():
            if self._snapshot is not None:
                yield self._snapshot
                return
            connection = self._database.connect(appending=False)
            try:
                self._database.freeze(connection)
                yield connection
            finally:
                connection.close()

    def _drop(self) -> None:
        if self._connection is not None:
            connection, self._connection = self._connection, None
            with self._database.translated():
                connection.close()


def _stored(row: Sequence[Any], mentioned: Sequence[Mention]) -> Stored:
    position, id_, kind, recorded_at, leaf, envelope, *columns = row
    subject, model, version, sha256, outcome, action, environment, revision, request_key = columns
    return Stored(
        index=position,
        id=id_,
        kind=kind,
        recorded_at=recorded_at,
        columns=Columns(
            subject,
            model,
            version,
            sha256,
            outcome,
            action,
            environment,
            revision,
            request_key,
            tuple(mentioned),
        ),
        envelope=None if envelope is None else _bytes(envelope),
        leaf=_bytes(leaf),
    )


def _head(row: Any) -> Head | None:
    return None if row is None else Head(row[0], _bytes(row[1]))


def _bytes(value: Any) -> bytes:
    """What is to be bytes. Text was not written by Mandate; it must reach the check that says so."""
    return value.encode("utf-8", "surrogateescape") if isinstance(value, str) else bytes(value)
