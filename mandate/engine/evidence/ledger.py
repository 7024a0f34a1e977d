"""What a store of evidence must do. The consumers, `recorder`, `verify` and `reading`, ask for nothing else.

Entries are numbered from 0 without gaps and are never changed. An entry's *leaf* is SHA-256 over its
envelope as stored; a Merkle log is built over the leaves, so an envelope's content could be erased one day
without losing the log. The *chain* of an entry is a running digest over all leaves so far: who keeps the
newest one elsewhere can tell whether anything before it was changed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Entry:
    """What is appended: an envelope, and what it is looked up by, which the envelope says too."""

    id: str
    """Unique in the ledger; a UUIDv7."""
    kind: str
    """The predicate's type."""
    subject: str
    """The model's URI."""
    outcome: str | None
    """A decision's outcome; `None` for what is no decision."""
    recorded_at: str
    """RFC 3339 in UTC with milliseconds: the text sorts as the time does."""
    envelope: bytes
    """The DSSE envelope, byte for byte."""

    @property
    def leaf(self) -> bytes:
        """SHA-256 over the envelope, 32 bytes."""
        return hashlib.sha256(self.envelope).digest()


@dataclass(frozen=True, slots=True)
class Stored:
    """An entry as the store has it. Nothing of it is believed before it was checked."""

    index: int
    id: str
    kind: str
    subject: str
    outcome: str | None
    recorded_at: str
    envelope: bytes | None
    """`None` if the content is gone."""
    leaf: bytes
    chain: bytes


class Store(Protocol):
    """An append-only ledger. Every method raises `NotRecorded` if the store cannot be used."""

    @property
    def origin(self) -> str:
        """The ledger's name."""

    @property
    def location(self) -> str:
        """Where it is, for messages."""

    def append(self, entry: Entry) -> int:
        """Store the entry durably and return its index. `NotRecorded` if it was not, or perhaps not, stored.

        Several writers may append at once: each index and each id is given once.
        """

    def latest(self) -> datetime:
        """The latest time at which an entry was recorded, or at which the ledger was made."""

    def count(self) -> int:
        """How many entries there are."""

    def at(self, index: int) -> Stored | None:
        """The entry with this index."""

    def starting_with(self, prefix: str, limit: int) -> tuple[Stored, ...]:
        """The first `limit` entries whose id starts so, in the order of ids."""

    def entries(self, start: int = 0) -> Iterator[Stored]:
        """The entries from `start` on, by index, as they were when it began; in bounded memory."""

    def damage(self) -> Iterator[str]:
        """What the store finds wrong with itself: its files, its guards, an id that stands twice."""


def first_chain(origin: str) -> bytes:
    """What the chain begins with, before the first entry: SHA-256 over the ledger's name."""
    return hashlib.sha256(origin.encode()).digest()


def next_chain(chain: bytes, leaf: bytes) -> bytes:
    """The chain after one more leaf: SHA-256 over the 64 bytes of both."""
    return hashlib.sha256(chain + leaf).digest()
