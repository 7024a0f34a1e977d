"""What a store of evidence must do. Its consumers ask for nothing else.

Entries are numbered from 0 without gaps and are never changed. An entry's *leaf* is SHA-256 over its
envelope as stored. Over the leaves stands a Merkle tree (RFC 6962, `log.merkle`), so an envelope's content
could be erased one day without losing the log. Whatever is appended is under a signed *head* before anybody
is told of it: the size and root of the tree, as a C2SP checkpoint.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ..errors import NotRecorded
from .columns import Columns


@dataclass(frozen=True, slots=True)
class Premise:
    """What somebody knew who made an entry: if something newer was recorded, the entry may not be true."""

    kinds: tuple[str, ...]
    """Predicate types."""
    latest: int
    """The index of the latest entry of these kinds that was known; -1 if there was none."""


class Outdated(NotRecorded):
    """Something was recorded meanwhile that the entry did not reckon with; it was not stored."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What is appended: an envelope, and what it is looked up by, which the envelope says too."""

    id: str
    """Unique in the ledger; a UUIDv7."""
    kind: str
    """The predicate's type."""
    recorded_at: str
    """RFC 3339 in UTC with milliseconds: the text sorts as the time does."""
    columns: Columns
    envelope: bytes
    """The DSSE envelope, byte for byte."""
    premise: Premise | None = None
    """On which it is stored, or else not at all."""

    @property
    def leaf(self) -> bytes:
        """SHA-256 over the envelope, 32 bytes."""
        return hashlib.sha256(self.envelope).digest()


@dataclass(frozen=True, slots=True)
class Place:
    """Where an entry stands."""

    index: int
    size: int
    """Of the tree whose signed head covers it."""
    id: str
    """The entry's id: of another entry than was given, if that one has its request key."""


@dataclass(frozen=True, slots=True)
class Stored:
    """An entry as the store has it. Nothing of it is believed before it was checked."""

    index: int
    id: str
    kind: str
    recorded_at: str
    columns: Columns
    envelope: bytes | None
    """`None` if the content is gone."""
    leaf: bytes


@dataclass(frozen=True, slots=True)
class Head:
    """A signed head as the store has it."""

    size: int
    """How many entries it is said to cover."""
    checkpoint: bytes
    """C2SP tlog-checkpoint: origin, size, root and the signature of the ledger's key."""


class Reader(Protocol):
    """A ledger to be read. Every method raises `NotRecorded` if the store cannot be used."""

    @property
    def origin(self) -> str:
        """The ledger's name."""

    @property
    def location(self) -> str:
        """Where it is, for messages."""

    def latest(self) -> datetime:
        """The latest time at which an entry was recorded, or at which the ledger was made."""

    def count(self) -> int:
        """How many entries there are."""

    def at(self, index: int) -> Stored | None:
        """The entry with this index."""

    def starting_with(self, prefix: str, limit: int) -> tuple[Stored, ...]:
        """The first `limit` entries whose id starts so, in the order of ids."""

    def requested(self, key: str) -> Stored | None:
        """The entry that answers the request with this key."""

    def of_kind(self, kind: str, start: int = 0) -> Iterator[Stored]:
        """The entries of a predicate type from index `start` on, as they were when it began."""

    def entries(self, start: int = 0) -> Iterator[Stored]:
        """The entries from `start` on, by index, as they were when it began; in bounded memory."""

    def head(self) -> Head | None:
        """The newest signed head; `None` if nothing was recorded yet."""

    def heads(self, start: int = 0) -> Iterator[Head]:
        """The heads of at least `start` entries, by size; in bounded memory."""

    def cosignatures(self, size: int) -> tuple[bytes, ...]:
        """Signature lines of witnesses under the head of this size, in the order in which they came."""

    def cosigned(self) -> Iterator[tuple[int, bytes]]:
        """(size, line) of the signatures of witnesses under all heads, in their order; in bounded memory."""

    def node(self, level: int, number: int) -> bytes:
        """The hash of a complete subtree, as `log.merkle.Read` wants it. `NotRecorded` if there is none."""

    def nodes(self, start: int = 0) -> Iterator[tuple[int, int, bytes]]:
        """(index, level, hash) of the complete subtrees that each entry from `start` on completed."""

    def snapshot(self) -> AbstractContextManager[Reader]:
        """The same ledger to be read as it is now, whatever is appended meanwhile."""

    def damage(self) -> Iterator[str]:
        """What the store finds wrong with itself: its files, its guards, an id that stands twice."""

    def close(self) -> None:
        """Let go of the store."""


class Store(Reader, Protocol):
    """An append-only ledger."""

    def ready(self) -> None:
        """Return if it takes entries now; `NotRecorded` if not."""

    def append(self, entry: Entry) -> Place:
        """Store the entry durably, under a signed head, and say where.

        `NotRecorded` if it was not, or perhaps not, stored; `Outdated` if its premise does not hold. Several
        writers may append at once: each index and each id is given once. If there is an entry with its
        request key, that one's place is returned.
        """

    def append_all(self, entries: Sequence[Entry]) -> tuple[Place, ...]:
        """Store all of them, one after the other, or none: under one head."""

    def cosign(self, size: int, line: bytes) -> None:
        """Keep a witness's signature under the head of this size, which has been verified."""
