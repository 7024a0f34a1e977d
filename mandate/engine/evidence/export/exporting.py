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
from ..ledger import Reader
from ..log import checkpoint, merkle
from ..log.checkpoint import Checkpoint
from ..public_keys import SUFFIX, PublicKey
from ..strict_base64 import encode
from . import layout, manifest
from .added import KEEP, Added
from .copying import Progress, copy, damaged
from .destination import Destination
from .manifest import Before, Manifest

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


def _silently(done: int, of: int) -> None:
    """Nobody waits for it."""


def export(
    store: Reader, destination: Destination, companions: Companions, *, progress: Progress = _silently
) -> Exported:
    """Bring the destination up to the ledger as it is now.

    `NotRecorded` if the ledger is damaged, is not the one that was exported here, or cannot be written there;
    `BadRequest` for a destination that is no export of this ledger.
    """
    names = frozenset(destination.names())
    before, before_sha256 = _before(destination, names)  # 1
    with store.snapshot() as frozen:
        head, signed = _head(frozen, companions.keys)  # 2
        _hold(frozen, destination, before, signed)
        if before is not None and before.size == signed.size:
            # Perhaps the last thing that a run does was not done.
            destination.point(layout.CHECKPOINT, before.checkpoint.encode())
            return Exported(before.size, before.root, before_sha256, missing_policies=before.missing_policies)
        first = 0 if before is None else before.size
        added = Added(destination, signed.size)
        _explain(added, signed.origin, companions)  # 3
        copied = copy(frozen, first, signed, added, names=names, progress=progress)  # 4
        if signatures := b"".join(_cosigned(frozen, destination, names)):  # 5
            added.signatures(signatures)
        missing_before = () if before is None else before.missing_policies
        missing = tuple(_policies(added, dict.fromkeys((*missing_before, *copied.revisions)), companions))
        if first:
            proof = merkle.consistency(first, signed.size, frozen.node)
            lines = "".join(f"{encode(one)}\n" for one in proof)
            added.keep(layout.consistency(first, signed.size), lines.encode())
        made = Manifest(
            origin=signed.origin,
            size=signed.size,
            root=signed.root.hex(),
            checkpoint=head.decode(),
            made_at=datetime.now(UTC),
            mandate=__version__,
            previous=None if before is None else Before(size=before.size, sha256=before_sha256),
            sums=added.sums(),
            missing_policies=missing,
        )
        _seal(destination, made)  # 6
    return Exported(
        size=made.size,
        root=made.root,
        manifest_sha256=sha256(made.to_bytes()),
        added=made.size - first,
        others=copied.others,
        files=added.count + 1,
        missing_policies=missing,
    )


def export_and_state(
    store: Reader,
    destination: Destination,
    companions: Companions,
    state: Callable[[Exported], int],
    *,
    progress: Progress = _silently,
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
        raise damaged(store, f"its newest head covers {signed.size} entries, and there are {store.count()}")
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
            next_step=KEEP,
        )
    if merkle.root(before.size, store.node).hex() != before.root:
        raise NotRecorded(
            f"the first {before.size} entries of the ledger are not those that were exported: one of the "
            "two was forked or rewritten",
            where=destination.location,
            next_step=KEEP,
        )


def _explain(added: Added, origin: str, companions: Companions) -> None:
    """Say what the rest means, and who signed it."""
    for name, content in companions.texts.items():
        added.beside(name, content)
    for keyid, key in companions.keys.items():
        added.keep(layout.key(keyid, SUFFIX), key.pem)
    for note_key in heads.note_keys(origin, companions.keys):
        name = layout.key(note_key.public_key.keyid, _VKEY_SUFFIX)
        added.keep(name, f"{note_key.vkey}\n".encode())


def _policies(added: Added, revisions: Collection[str], companions: Companions) -> Iterator[str]:
    """Add the policies; those that nobody has are named."""
    for revision in revisions:
        content = companions.policies(revision)
        if content is None:
            yield revision
        else:
            added.beside(layout.policies(revision), content)


def _cosigned(store: Reader, destination: Destination, names: Collection[str]) -> Iterator[bytes]:
    """The signatures of witnesses that no snapshot has, a line each."""
    complete, known = set(layout.snapshots(names)), set()
    for name in names:
        if layout.cosigned_at(name) in complete:
            known.update(destination.read(name).splitlines())
    for size, line in store.cosigned():
        written = json.dumps({"size": size, "line": line.decode()}).encode()
        if written not in known:
            yield written + b"\n"


def _seal(destination: Destination, made: Manifest) -> None:
    """Add the manifest, when all else is safe; then show the head to others."""
    destination.sync()
    if not destination.add(layout.snapshot(made.size), made.to_bytes()):
        raise NotRecorded(
            "somebody else exported the same ledger here at the same time",
            where=destination.location,
            next_step="Export again",
        )
    destination.point(layout.CHECKPOINT, made.checkpoint.encode())
    destination.sync()
