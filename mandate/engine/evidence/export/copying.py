"""Copies what is new in a ledger, entry by entry: envelopes, the heads over them, and the tree."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from ...digests import sha256
from ...errors import NotRecorded
from ..ledger import Head, Reader, Stored
from ..log.checkpoint import Checkpoint
from ..log.merkle import Frontier, Node, leaf_hash
from ..predicates.export import EXPORT_TYPE
from . import layout, tiles
from .added import Added
from .layout import Chunk

Progress = Callable[[int, int], None]
"""Is told how many entries of how many are done."""


@dataclass(frozen=True, slots=True)
class Copied:
    """What was copied, apart from the log itself."""

    others: int
    """How many of the entries are not themselves about exports."""
    revisions: tuple[str, ...]
    """Of the policies that the entries name."""


def copy(
    store: Reader,
    first: int,
    signed: Checkpoint,
    added: Added,
    *,
    names: Collection[str],
    progress: Progress,
) -> Copied:
    """Add the entries from `first` on, up to the newest head, which is `signed`.

    `names`: what is there; a run that was cut off is followed. `NotRecorded` if the entries do not lead to
    the head.
    """
    copying = _Copying(store, first, signed, names, added)
    expected = first - first % tiles.WIDTH  # a tile can begin before what is new
    for stored in store.entries(expected):
        if stored.index != expected:
            break
        expected += 1
        if stored.index < first:
            copying.known(stored)
        else:
            copying.new(stored)
            progress(expected - first, signed.size - first)
    if expected != signed.size:
        raise damaged(store, f"entry {expected} is gone")
    return copying.end()


def damaged(store: Reader, what: str) -> NotRecorded:
    """The error for a ledger that is not to be exported."""
    return NotRecorded(
        f"the ledger is damaged: {what}",
        where=store.location,
        next_step="Run `mandate ledger verify`, and keep a copy of the ledger as it is",
    )


class _Copying:
    """One pass over the entries. In memory are those of a file, and the leaves of a tile."""

    def __init__(
        self, store: Reader, first: int, signed: Checkpoint, names: Collection[str], added: Added
    ) -> None:
        self._store = store
        self._signed = signed
        self._added = added
        self._begun = _begun(names, first, signed.size)
        self._first = first
        self._frontier = Frontier.of(first, store.node)
        self._heads = store.heads(first + 1)
        self._head = next(self._heads, None)
        self._leaves: list[bytes] = []
        """Of the tile that is not full yet."""
        self._chunk = bytearray()
        self._chunk_first = first
        self._others = 0
        self._revisions: dict[str, None] = {}

    def known(self, stored: Stored) -> None:
        """An entry that was exported before, and whose tile was not full."""
        self._leaves.append(stored.leaf)

    def new(self, stored: Stored) -> None:
        """The next entry."""
        self._chunk += self._line(stored)
        self._others += stored.kind != EXPORT_TYPE
        if stored.columns.revision is not None:
            self._revisions[stored.columns.revision] = None
        self._frontier, made = self._frontier.append(stored.leaf)
        for node in made:
            self._hold(node)
        if self._full(stored.index):
            self._add_chunk(Chunk(self._chunk_first, stored.index))
        self._leaves.append(stored.leaf)
        if len(self._leaves) == tiles.WIDTH or stored.index + 1 == self._signed.size:
            tile = tiles.at(self._signed.size, 0, stored.index // tiles.WIDTH)
            self._added.keep(tile.name, b"".join(map(leaf_hash, self._leaves)))
            self._added.keep(tile.bundle, tiles.bundled(self._leaves))
            self._leaves.clear()

    def end(self) -> Copied:
        """Add the tiles above, if the entries are those of the head."""
        if self._frontier.root != self._signed.root:
            raise damaged(self._store, "its newest head does not agree with its entries")
        for tile in tiles.added(self._first, self._signed.size):
            if tile.level > 0:
                first, level = tile.number * tiles.WIDTH, tile.level * tiles.LEVELS
                hashes = (self._store.node(level, first + number) for number in range(tile.width))
                self._added.keep(tile.name, b"".join(hashes))
        return Copied(self._others, tuple(self._revisions))

    def _line(self, stored: Stored) -> bytes:
        """The envelope as a line."""
        envelope = stored.envelope
        if envelope is None or sha256(envelope) != stored.leaf.hex() or b"\n" in envelope:
            what = "gone" if envelope is None else "not what was recorded"
            raise damaged(self._store, f"the envelope of entry {stored.index} is {what}")
        return envelope + b"\n"

    def _hold(self, node: Node) -> None:
        """What will stand in a tile is what follows from the entries: a tile is never changed again."""
        if node.level % tiles.LEVELS == 0 and self._store.node(node.level, node.number) != node.hash:
            raise damaged(
                self._store, f"its tree does not follow from its first {self._frontier.size} entries"
            )

    def _full(self, last: int) -> bool:
        """Whether the file of entries ends with this one."""
        if self._chunk_first in self._begun:
            return last == self._begun[self._chunk_first]
        ends = (last + 1) % layout.CHUNK == 0 or last + 1 == self._signed.size
        return ends or len(self._chunk) >= layout.CHUNK_BYTES

    def _add_chunk(self, chunk: Chunk) -> None:
        self._added.keep(chunk.entries, bytes(self._chunk))
        lines = []
        while self._head is not None and self._head.size <= chunk.last + 1:
            lines.append(_head_line(self._head))
            self._head = next(self._heads, None)
        if lines:
            self._added.keep(chunk.heads, b"".join(lines))
        self._chunk.clear()
        self._chunk_first = chunk.last + 1


def _begun(names: Collection[str], first: int, size: int) -> Mapping[int, int]:
    """Chunks by their first entry that a run which was cut off has left: the longest that fit."""
    begun: dict[int, int] = {}
    for name in names:
        chunk = Chunk.named(name)
        if chunk is not None and first <= chunk.first <= chunk.last < size:
            begun[chunk.first] = max(chunk.last, begun.get(chunk.first, 0))
    return begun


def _head_line(head: Head) -> bytes:
    return json.dumps({"size": head.size, "checkpoint": head.checkpoint.decode()}).encode() + b"\n"
