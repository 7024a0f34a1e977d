"""Exports a ledger.

    1. what is there already is an export of this ledger, from which the ledger grew: what was exported once
       is not looked at again
    2. the ledger is read as it is now, and its head is right
    3. the files that say what the rest means: README.md, schemas, keys
    4. entries, their heads, and the tiles of the tree over them, which must lead to the signed head
    5. what witnesses signed, the policies by which was decided, the proof of consistency
    6. the digests of all of these, and last the manifest: without it, nothing was exported

The name of a file depends on nothing but the ledger. So a run that was cut off leaves nothing that the next
one cannot go on with, and what is there under a name must be what belongs there.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from .... import __version__
from ...digests import sha256
from ...errors import BadRequest, NotRecorded
from .. import heads
from ..ledger import Head, Reader, Stored
from ..log import checkpoint, merkle
from ..log.checkpoint import Checkpoint
from ..log.merkle import Frontier, leaf_hash
from ..predicates.export import EXPORT_TYPE
from ..public_keys import SUFFIX, PublicKey
from ..strict_base64 import encode
from . import layout, manifest, tiles
from .destination import Destination
from .layout import Chunk
from .manifest import Before, Manifest, Sums

_VERIFY = "Run `mandate ledger verify`, and keep a copy of the ledger as it is"
_KEEP = "Keep both as they are, and find out which one was changed, with `mandate ledger verify --since`"
_VKEY_SUFFIX = ".vkey"


@dataclass(frozen=True, slots=True)
class Companions:
    """What an export has beside the log."""

    keys: Mapping[str, PublicKey]
    """Whose signatures count in this ledger, by their ids."""
    texts: Mapping[str, bytes]
    """README.md and schemas by their names. Those that are there already stay as they are."""
    policies: Callable[[str], bytes | None]
    """The bundle of a revision; `None` if nobody has it."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What a run did."""

    size: int
    """How many entries the export has now."""
    root: str
    """Of the tree over them, in hexadecimal digits."""
    manifest_sha256: str
    added: int = 0
    """How many of the entries are new in it."""
    others: int = 0
    """How many of these are not themselves about exports."""
    files: int = 0
    """How many files the run added."""
    missing_policies: tuple[str, ...] = ()
    """Revisions by which something was decided, and whose policies nobody has."""


def export(
    store: Reader,
    destination: Destination,
    companions: Companions,
    *,
    progress: Callable[[int], None] = lambda _: None,
) -> Exported:
    """Bring the destination up to the ledger as it is now; `progress` is told how many entries are done.

    `NotRecorded` if the ledger is damaged, is not the one that was exported here, or cannot be written there;
    `BadRequest` for a destination that is no export of this ledger.
    """
    names = frozenset(destination.names())
    before, before_sha256 = _before(destination, names)  # 1
    with store.snapshot() as frozen:
        head, signed = _head(frozen, companions.keys)  # 2
        _hold(frozen, destination, before, signed)
        if before is not None and before.size == signed.size:
            if layout.CHECKPOINT not in names:  # the last thing that a run does was not done
                destination.point(layout.CHECKPOINT, head)
            return Exported(before.size, before.root, before_sha256)
        run = _Run(frozen, destination, before, signed)
        run.explain(companions)  # 3
        run.copy(names, progress)  # 4
        run.complete(names, companions.policies)  # 5
        return run.seal(head, None if before is None else Before(size=before.size, sha256=before_sha256))  # 6


def export_and_state(
    store: Reader,
    destination: Destination,
    companions: Companions,
    state: Callable[[Exported], int],
    *,
    progress: Callable[[int], None] = lambda _: None,
) -> tuple[Exported, int | None]:
    """Export, have the ledger `state` that it was, and export that entry too: so the destination has all.

    The answer has the index of that entry; `None` if there was nothing to export, or nothing but what states
    other exports. Without this, two destinations would never be up to date.
    """
    done = export(store, destination, companions, progress=progress)
    index = None
    if done.others:
        index = state(done)
        last = export(store, destination, companions)
        done = replace(
            last,
            added=done.added + last.added,
            others=done.others + last.others,
            files=done.files + last.files,
            missing_policies=tuple(dict.fromkeys(done.missing_policies + last.missing_policies)),
        )
    destination.finish()
    return done, index


def _before(destination: Destination, names: Collection[str]) -> tuple[Manifest | None, str]:
    """The newest manifest, and its digest."""
    size = layout.newest_snapshot(names)
    if size is None:
        strangers = sorted(name for name in names if not layout.belongs(name))
        if strangers:
            raise BadRequest(
                f"it holds something else than an export, such as {strangers[0]}",
                where=destination.location,
                next_step="Name an empty folder, or an export",
            )
        return None, ""
    content = destination.read(layout.snapshot(size))
    return manifest.parse(content, size), sha256(content)


def _head(store: Reader, keys: Mapping[str, PublicKey]) -> tuple[bytes, Checkpoint]:
    """The newest head with all signatures under it; it is right, and covers all entries."""
    data = heads.newest(store, keys)
    signed = checkpoint.unverified(data)[0]
    if signed.size != store.count():
        raise _damaged(store, f"its newest head covers {signed.size} entries, and there are {store.count()}")
    return data, signed


def _hold(store: Reader, destination: Destination, before: Manifest | None, signed: Checkpoint) -> None:
    """Return if the ledger grew from what was exported."""
    if before is None:
        return
    if before.origin != signed.origin:
        raise BadRequest(
            f"this is an export of another ledger, {before.origin[:100]!a}",
            where=destination.location,
            next_step="Name another destination: each ledger has its own",
        )
    if before.size > signed.size:
        raise NotRecorded(
            f"the ledger has {signed.size} entries, and {before.size} were exported: the newest were "
            "removed, or an older copy was put in place",
            where=destination.location,
            next_step=_KEEP,
        )
    if merkle.root(before.size, store.node).hex() != before.root:
        raise NotRecorded(
            f"the first {before.size} entries of the ledger are not those that were exported: one of the "
            "two was forked or rewritten",
            where=destination.location,
            next_step=_KEEP,
        )


def _damaged(store: Reader, what: str) -> NotRecorded:
    return NotRecorded(f"the ledger is damaged: {what}", where=store.location, next_step=_VERIFY)


class _Run:
    """One run, from the size that was exported before to the ledger's."""

    def __init__(
        self, store: Reader, destination: Destination, before: Manifest | None, signed: Checkpoint
    ) -> None:
        self._store = store
        self._destination = destination
        self._first = 0 if before is None else before.size
        self._signed = signed
        self._revisions = dict.fromkeys(() if before is None else before.missing_policies)
        self._others = 0
        self._files = 0
        self._lines: list[str] = []
        self._sums: list[Sums] = []
        self._missing: list[str] = []

    def explain(self, companions: Companions) -> None:
        """Say what the rest means, and who signed it."""
        for name, content in companions.texts.items():
            self._beside(name, content)
        for keyid, key in companions.keys.items():
            self._keep(layout.key(keyid, SUFFIX), key.pem)
        for note_key in heads.note_keys(self._signed.origin, companions.keys):
            name = layout.key(note_key.public_key.keyid, _VKEY_SUFFIX)
            self._keep(name, f"{note_key.vkey}\n".encode())

    def copy(self, names: Collection[str], progress: Callable[[int], None]) -> None:
        """Add the entries, the heads and the tree."""
        begun = _begun(names, self._first, self._signed.size)
        frontier = Frontier.of(self._first, self._store.node)
        signed = self._store.heads(self._first + 1)
        head = next(signed, None)
        leaves: list[bytes] = []
        chunk = bytearray()
        chunk_first = self._first
        expected = start = self._first - self._first % tiles.WIDTH  # a tile begins earlier than what is new
        for stored in self._store.entries(start):
            if stored.index != expected:
                raise _damaged(self._store, f"entry {expected} is gone")
            expected += 1
            leaves.append(stored.leaf)
            if stored.index < self._first:
                continue
            chunk += self._line(stored)
            frontier, made = frontier.append(stored.leaf)
            for node in made:
                if node.level % tiles.LEVELS == 0 and self._store.node(node.level, node.number) != node.hash:
                    raise _damaged(self._store, f"its tree does not follow from its first {expected} entries")
            if _full(chunk_first, stored.index, len(chunk), begun, self._signed.size):
                part = Chunk(chunk_first, stored.index)
                self._keep(part.entries, bytes(chunk))
                lines = []
                while head is not None and head.size <= expected:
                    lines.append(_head_line(head))
                    head = next(signed, None)
                if lines:
                    self._keep(part.heads, b"".join(lines))
                chunk.clear()
                chunk_first = expected
                progress(expected - self._first)
            if expected % tiles.WIDTH == 0 or expected == self._signed.size:
                self._leaves(stored.index // tiles.WIDTH, leaves)
                leaves.clear()
        if (frontier.size, frontier.root) != (self._signed.size, self._signed.root):
            raise _damaged(self._store, "its newest head does not agree with its entries")
        self._upper_tiles()

    def complete(self, names: Collection[str], policies: Callable[[str], bytes | None]) -> None:
        """Add what witnesses signed since, the policies, and the proof that the log only grew."""
        if signatures := b"".join(self._cosigned(names)):
            self._listed(self._numbered(layout.cosignatures, signatures), signatures)
        for revision in self._revisions:
            content = policies(revision)
            if content is None:
                self._missing.append(revision)
            else:
                self._beside(layout.policies(revision), content)
        if self._first:
            proof = merkle.consistency(self._first, self._signed.size, self._store.node)
            self._keep(
                layout.consistency(self._first, self._signed.size),
                "".join(f"{encode(one)}\n" for one in proof).encode(),
            )

    def seal(self, head: bytes, previous: Before | None) -> Exported:
        """Add the digests and the manifest; `head` is the newest, with all signatures under it."""
        self._flush()
        made = Manifest(
            origin=self._signed.origin,
            size=self._signed.size,
            root=self._signed.root.hex(),
            checkpoint=head.decode(),
            made_at=datetime.now(UTC),
            mandate=__version__,
            previous=previous,
            sums=tuple(self._sums),
            missing_policies=tuple(self._missing),
        ).to_bytes()
        self._destination.point(layout.CHECKPOINT, head)
        self._destination.sync()
        if not self._destination.add(layout.snapshot(self._signed.size), made):
            raise NotRecorded(
                "somebody else exported the same ledger here at the same time",
                where=self._destination.location,
                next_step="Export again",
            )
        self._destination.sync()
        return Exported(
            size=self._signed.size,
            root=self._signed.root.hex(),
            manifest_sha256=sha256(made),
            added=self._signed.size - self._first,
            others=self._others,
            files=self._files + 1,
            missing_policies=tuple(self._missing),
        )

    def _line(self, stored: Stored) -> bytes:
        """The envelope as a line."""
        envelope = stored.envelope
        if envelope is None or sha256(envelope) != stored.leaf.hex() or b"\n" in envelope:
            what = "gone" if envelope is None else "not what was recorded"
            raise _damaged(self._store, f"the envelope of entry {stored.index} is {what}")
        self._others += stored.kind != EXPORT_TYPE
        if stored.columns.revision is not None:
            self._revisions[stored.columns.revision] = None
        return envelope + b"\n"

    def _leaves(self, number: int, leaves: list[bytes]) -> None:
        tile = tiles.at(self._signed.size, 0, number)
        self._keep(tile.name, b"".join(map(leaf_hash, leaves)))
        self._keep(tile.bundle, tiles.bundled(leaves))

    def _upper_tiles(self) -> None:
        for tile in tiles.added(self._first, self._signed.size):
            if tile.level > 0:
                first, level = tile.number * tiles.WIDTH, tile.level * tiles.LEVELS
                hashes = (self._store.node(level, first + number) for number in range(tile.width))
                self._keep(tile.name, b"".join(hashes))

    def _cosigned(self, names: Collection[str]) -> Iterator[bytes]:
        """The signatures of witnesses that no snapshot has, a line each."""
        complete, known = set(layout.snapshots(names)), set()
        for name in names:
            if layout.cosigned_at(name) in complete:
                known.update(self._destination.read(name).splitlines())
        for size, line in self._store.cosigned():
            written = json.dumps({"size": size, "line": line.decode()}).encode()
            if written not in known:
                yield written + b"\n"

    def _keep(self, name: str, content: bytes) -> None:
        """Add evidence: under its name there may be nothing else."""
        if self._destination.add(name, content):
            self._files += 1
        elif self._destination.read(name) != content:
            raise NotRecorded(
                f"{name} is there already, and is not what belongs there",
                where=self._destination.location,
                next_step=_KEEP,
            )
        self._listed(name, content)

    def _beside(self, name: str, content: bytes) -> None:
        """Add a companion, unless there is one: another version of Mandate may have written another."""
        if self._destination.add(name, content):
            self._files += 1
        else:
            content = self._destination.read(name)
        self._listed(name, content)

    def _listed(self, name: str, content: bytes) -> None:
        self._lines.append(f"{sha256(content)}  {name}\n")
        if len(self._lines) == layout.SUMS:
            self._flush()

    def _flush(self) -> None:
        """Add the digests of what was added last."""
        content = "".join(self._lines).encode()
        self._lines.clear()
        name = self._numbered(layout.sums, content, len(self._sums))
        self._sums.append(Sums(name=name, sha256=sha256(content)))

    def _numbered(self, named: Callable[[int, int], str], content: bytes, number: int = 0) -> str:
        """Add a file under the first name that is free: a run that was cut off may have had less to say."""
        while not self._destination.add(name := named(self._signed.size, number), content):
            if self._destination.read(name) == content:
                return name
            number += 1
        self._files += 1
        return name


def _begun(names: Collection[str], first: int, size: int) -> dict[int, int]:
    """Chunks by their first entry that a run which was cut off has left: the longest that fit."""
    begun: dict[int, int] = {}
    for name in names:
        chunk = Chunk.named(name)
        if chunk is not None and first <= chunk.first <= chunk.last < size:
            begun[chunk.first] = max(chunk.last, begun.get(chunk.first, 0))
    return begun


def _full(first: int, last: int, size: int, begun: Mapping[int, int], end: int) -> bool:
    """Whether a file of entries ends with the entry `last`."""
    if first in begun:
        return last == begun[first]
    return (last + 1) % layout.CHUNK == 0 or size >= layout.CHUNK_BYTES or last + 1 == end


def _head_line(head: Head) -> bytes:
    return json.dumps({"size": head.size, "checkpoint": head.checkpoint.decode()}).encode() + b"\n"
