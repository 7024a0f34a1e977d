"""An export, read as the ledger that it was made of: what verifies and what restores it asks a `Reader`.

The files of its newest snapshot and of those before it are read, and no others: the manifests name each other
and the sums, and the sums name all else. What is derived from an envelope, the entry's columns, is derived
again. Memory grows by the names of four files for each 256 entries.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache

from ... import strict_json
from ...digests import sha256
from ...errors import BadInput, NotRecorded
from .. import envelope as dsse
from .. import statement
from ..columns import Columns
from ..ledger import Head, Stored
from ..log import note
from ..log.merkle import Frontier, leaf_hash, node_hash
from ..predicates.base import rfc3339_milliseconds
from . import layout, manifest, tiles
from .destination import Source
from .layout import Chunk
from .manifest import Manifest

_SUM = re.compile(r"([0-9a-f]{64})  (\S+)")
_MOST_SNAPSHOTS = 1_000_000


class ExportedLedger:
    """A `ledger.Reader` of a `source`, which it closes. `BadInput` if what is there is no export,
    `NotRecorded` if one was changed."""

    def __init__(self, source: Source) -> None:
        self._source = source
        try:
            self._open(source)
        except BaseException:
            source.close()
            raise

    def _open(self, source: Source) -> None:
        self._names = frozenset(source.names())
        newest = layout.newest_snapshot(self._names)
        if newest is None:
            raise BadInput(
                "there is no complete export here: no run has come to its end",
                where=source.location,
                next_step="Name a folder, an archive or a bucket that `mandate ledger export` wrote",
            )
        self._manifests = self._chain(newest)
        self.manifest = self._manifests[-1]
        self._digests = dict(self._listed())
        self._chunks = sorted(chunk for name in self._digests if (chunk := Chunk.named(name)) is not None)
        self._tile = lru_cache(maxsize=16)(self._read_tile)

    @property
    def origin(self) -> str:
        """The ledger's name."""
        return self.manifest.origin

    @property
    def location(self) -> str:
        """Where the export is."""
        return self._source.location

    @property
    def strangers(self) -> tuple[str, ...]:
        """Files of no snapshot: of a run that was cut off, or of somebody else. They are not read."""
        known = {layout.snapshot(each.size) for each in self._manifests} | {layout.CHECKPOINT}
        known |= {sums.name for each in self._manifests for sums in each.sums}
        return tuple(sorted(self._names - known - self._digests.keys()))

    @property
    def missing_policies(self) -> tuple[str, ...]:
        """Revisions by which something was decided, and whose policies no run could export."""
        return self.manifest.missing_policies

    def policies(self) -> Iterator[tuple[str, bytes]]:
        """The bundles, by revision."""
        for name in sorted(self._digests):
            if (revision := layout.revision_of(name)) is not None:
                yield revision, self._read(name)

    def latest(self) -> datetime:
        """The latest time at which an entry was recorded, or at which the export was made."""
        recorded = (datetime.fromisoformat(each.recorded_at) for each in self.entries() if each.recorded_at)
        return max(recorded, default=self.manifest.made_at).astimezone(UTC)

    def count(self) -> int:
        """How many entries there are."""
        return self.manifest.size

    def at(self, index: int) -> Stored | None:
        """The entry with this index."""
        return next(self.entries(index), None) if 0 <= index < self.count() else None

    def starting_with(self, prefix: str, limit: int) -> tuple[Stored, ...]:
        """The first entries whose id starts so. It looks at all entries."""
        found = (stored for stored in self.entries() if stored.id.startswith(prefix))
        return tuple(sorted(found, key=lambda stored: stored.id)[:limit])

    def requested(self, key: str) -> Stored | None:
        """The entry that answers this request. It looks at all entries."""
        return next((stored for stored in self.entries() if stored.columns.request_key == key), None)

    def of_kind(self, kind: str, start: int = 0) -> Iterator[Stored]:
        """The entries of a predicate type. It looks at all entries."""
        return (stored for stored in self.entries(start) if stored.kind == kind)

    def entries(self, start: int = 0) -> Iterator[Stored]:
        """The entries, with columns as their envelopes say."""
        for chunk in self._chunks[self._chunk_of(start) :]:
            lines = self._read(chunk.entries).split(b"\n")
            if len(lines) != chunk.last - chunk.first + 2 or lines.pop():
                raise self._damaged(f"{chunk.entries} does not have {chunk.last - chunk.first + 1} lines")
            for index, envelope in enumerate(lines, chunk.first):
                if index >= start:
                    yield _stored(index, envelope, self._leaf(index))

    def head(self) -> Head | None:
        """The newest signed head."""
        return Head(self.manifest.size, self.manifest.checkpoint.encode())

    def heads(self, start: int = 0) -> Iterator[Head]:
        """The heads over at least `start` entries."""
        for chunk in self._chunks[self._chunk_of(max(0, start - 1)) :]:
            if chunk.heads in self._digests:
                for line in self._read(chunk.heads).splitlines():
                    size, checkpoint = self._fields(chunk.heads, line, "checkpoint")
                    if size >= start:
                        yield Head(size, checkpoint)

    def cosignatures(self, size: int) -> tuple[bytes, ...]:
        """Signature lines of witnesses under the head of this size. It looks at all of them."""
        return tuple(line for of, line in self.cosigned() if of == size)

    def cosigned(self) -> Iterator[tuple[int, bytes]]:
        """All signature lines of witnesses."""
        for name in sorted(self._digests):
            if layout.cosigned_at(name) is not None:
                for line in self._read(name).splitlines():
                    yield self._fields(name, line, "line")

    def node(self, level: int, number: int) -> bytes:
        """The hash of a complete subtree, from the tiles."""
        above, below = divmod(level, tiles.LEVELS)
        first = number << below
        hashes = [self._hash(above, first + each) for each in range(1 << below)]
        while len(hashes) > 1:
            hashes = [node_hash(*pair) for pair in zip(hashes[::2], hashes[1::2], strict=True)]
        return hashes[0]

    def nodes(self, start: int = 0) -> Iterator[tuple[int, int, bytes]]:
        """The complete subtrees: each eighth level as a tile has it, those between as they follow from it."""
        kept = list(Frontier.of(start, self.node).hashes)
        for index in range(start, self.count()):
            top = self._hash(0, index)
            level = 0
            while index >> level & 1:
                top = node_hash(kept.pop(), top)
                level += 1
                if level % tiles.LEVELS == 0:
                    top = self._hash(level // tiles.LEVELS, index >> level)
                yield index, level, top
            kept.append(top)

    @contextmanager
    def snapshot(self) -> Iterator[ExportedLedger]:
        """An export does not change."""
        yield self

    def damage(self) -> Iterator[str]:
        """Files that are gone or changed, and sums that contradict each other."""
        for name, digests in self._contradicting().items():
            yield f"{name} has {len(digests)} digests in the sums"
        # What is large is held against its digest when it is read.
        later = {name for chunk in self._chunks for name in (chunk.entries, chunk.heads)}
        for name, digest in self._digests.items():
            if name not in self._names:
                yield f"{name} is gone"
            elif name not in later and sha256(self._source.read(name)) != digest:
                yield f"{name} was changed"
        yield from self._uncovered()
        yield from self._pointed()
        for size, line in self.cosigned():
            yield from _no_signature(size, line)

    def close(self) -> None:
        """Let go of it."""
        self._source.close()

    def _chain(self, newest: int) -> list[Manifest]:
        """The manifests, the oldest first: each names the one before."""
        content = self._source.read(layout.snapshot(newest))
        found = [manifest.parse(content, newest)]
        while (before := found[-1].previous) is not None:
            if before.size >= found[-1].size or len(found) == _MOST_SNAPSHOTS:
                raise self._damaged(f"{layout.snapshot(found[-1].size)} goes on from a later one")
            content = self._whole(layout.snapshot(before.size), before.sha256)
            found.append(manifest.parse(content, before.size))
            if found[-1].origin != found[0].origin:
                raise self._damaged(f"{layout.snapshot(before.size)} is of another ledger")
        return found[::-1]

    def _listed(self) -> Iterator[tuple[str, str]]:
        """The files and their digests."""
        for each in self._manifests:
            for sums in each.sums:
                for line in self._whole(sums.name, sums.sha256).decode("ascii", "replace").splitlines():
                    matched = _SUM.fullmatch(line)
                    if matched is None or not layout.is_name(matched[2]):
                        raise self._damaged(f"{sums.name} has a line that is no digest of a file")
                    yield matched[2], matched[1]

    def _contradicting(self) -> dict[str, set[str]]:
        every: dict[str, set[str]] = {}
        for name, digest in self._listed():
            if self._digests[name] != digest:
                every.setdefault(name, {self._digests[name]}).add(digest)
        return every

    def _uncovered(self) -> Iterator[str]:
        """Entries that stand in no file, or in two."""
        expected = 0
        for chunk in self._chunks:
            if chunk.first != expected:
                yield f"no file of entries begins with entry {expected}"
            expected = chunk.last + 1
        if expected != self.count():
            yield f"the files of entries end before entry {expected}, and the manifest says {self.count()}"

    def _pointed(self) -> Iterator[str]:
        """Whether the head that others are shown is one of those."""
        if layout.CHECKPOINT in self._names:
            shown = self._source.read(layout.CHECKPOINT)
            if shown not in {each.checkpoint.encode() for each in self._manifests}:
                yield f"{layout.CHECKPOINT} was changed"

    def _chunk_of(self, index: int) -> int:
        """The number of the chunk with this entry, or of the first one behind it."""
        return bisect.bisect_left(self._chunks, index, key=lambda chunk: chunk.last)

    def _leaf(self, index: int) -> bytes:
        leaf, hashed = self._bundle(index)
        if hashed != self._hash(0, index):
            raise self._damaged(f"{self._tile_at(0, index).name} does not follow from the entries' digests")
        return leaf

    def _bundle(self, index: int) -> tuple[bytes, bytes]:
        tile = self._tile_at(0, index)
        leaves = self._tile(tile.bundle)
        if index % tiles.WIDTH >= len(leaves):
            raise self._damaged(f"{tile.bundle} does not have {tile.width} entries")
        leaf = leaves[index % tiles.WIDTH]
        return leaf, leaf_hash(leaf)

    def _hash(self, level: int, number: int) -> bytes:
        tile = self._tile_at(level, number)
        hashes = self._tile(tile.name)
        if len(hashes) != tile.width:
            raise self._damaged(f"{tile.name} does not have {tile.width} hashes")
        return hashes[number % tiles.WIDTH]

    def _tile_at(self, level: int, number: int) -> tiles.Tile:
        return tiles.at(self.count(), level, number // tiles.WIDTH)

    def _read_tile(self, name: str) -> list[bytes]:
        content = self._read(name)
        found = tiles.unbundled(content) if name.startswith("tile/entries/") else tiles.hashes(content)
        if found is None:
            raise self._damaged(f"{name} is no bundle of digests")
        return found

    def _fields(self, name: str, line: bytes, field: str) -> tuple[int, bytes]:
        try:
            document = strict_json.parse(line)
            size, text = document["size"], document[field]
            if isinstance(size, int) and isinstance(text, str) and len(document) == 2:  # noqa: PLR2004
                return size, text.encode()
        except (strict_json.NotStrict, KeyError, TypeError):
            pass
        raise self._damaged(f"{name} has a line that is not one of its kind")

    def _read(self, name: str) -> bytes:
        digest = self._digests.get(name)
        if digest is None:
            raise self._damaged(f"{name} is not among the files of the export")
        return self._whole(name, digest)

    def _whole(self, name: str, digest: str) -> bytes:
        try:
            content = self._source.read(name)
        except BadInput as error:
            raise self._damaged(error.what) from error
        if sha256(content) != digest:
            raise self._damaged(f"{name} was changed")
        return content

    def _damaged(self, what: str) -> NotRecorded:
        return NotRecorded(
            f"the export is damaged: {what}",
            where=self.location,
            next_step="Get the file again from another copy, or export again elsewhere",
        )


def _stored(index: int, envelope: bytes, leaf: bytes) -> Stored:
    """The entry, with what its envelope says of it; nothing, if it says nothing that can be read."""
    try:
        predicate = statement.read(dsse.parse(envelope).payload).predicate
    except BadInput:
        return Stored(index, "", "", "", Columns(""), envelope, leaf)
    recorded_at = rfc3339_milliseconds(predicate.recordedAt)
    return Stored(index, predicate.id, predicate.TYPE, recorded_at, predicate.columns(), envelope, leaf)


def _no_signature(size: int, line: bytes) -> Iterator[str]:
    try:
        note.parse(b"a head\n\n" + line)
    except BadInput as error:
        yield f"a witness's signature on the head of {size} entries: {error.what}"
