"""A ledger's signed heads, as they are handed out, kept elsewhere and brought back.

A head that somebody else keeps is what binds the ledger's writer: a ledger that does not begin with it was
rolled back, forked or rewritten. A witness does that for everybody, and says so with a signature of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from ..errors import BadInput, BadRequest, NotRecorded
from .ledger import Head, Reader, Store
from .log import checkpoint, merkle, note
from .log.checkpoint import Checkpoint
from .log.cosignature import WitnessKey
from .log.note import Note, NoteKey
from .public_keys import PublicKey

_VERIFY = "Run `mandate ledger verify`, and keep a copy of the ledger as it is"


@dataclass(frozen=True, slots=True)
class Kept:
    """A head that was kept outside the ledger, and whose signature is right."""

    checkpoint: Checkpoint
    note: Note
    """With all its signatures."""


def newest(store: Reader, keys: Mapping[str, PublicKey]) -> bytes:
    """The newest head with all signatures under it, verified. `NotRecorded` if there is none."""
    head = store.head()
    if head is None:
        raise NotRecorded(
            "the ledger has no entries yet, and so no head",
            where=store.location,
            next_step="Record a decision first, with `mandate check`",
        )
    return signed(store, head, keys)


def signed(store: Reader, head: Head, keys: Mapping[str, PublicKey]) -> bytes:
    """The head with all signatures under it. `NotRecorded` unless it is right, and of the stored tree."""
    data = head.checkpoint + b"".join(store.cosignatures(head.size))
    try:
        said = checkpoint.read(data, note_keys(store.origin, keys))
    except BadInput as error:
        raise _not_right(store, head, error.what) from error
    if said != Checkpoint(store.origin, head.size, merkle.root(head.size, store.node)):
        raise _not_right(store, head, "it does not say what the stored tree says")
    return data


def kept(
    data: bytes,
    origin: str,
    keys: Mapping[str, PublicKey],
    witnesses: Collection[WitnessKey] = (),
    *,
    required: int = 0,
) -> Kept:
    """A head of the ledger with this name, as it was kept elsewhere. `BadInput` if it is none."""
    # The keys are named after this ledger, so none of them signs the head of another.
    accepted = checkpoint.accept(data, note_keys(origin, keys), witnesses, required=required)
    return Kept(accepted.checkpoint, note.parse(data))


def growth(store: Reader, since: Checkpoint) -> tuple[bytes, ...]:
    """The consistency proof from that head to the newest. `NotRecorded` unless the ledger grew from it."""
    head = store.head()
    size = 0 if head is None else head.size
    if since.size > size or merkle.root(since.size, store.node) != since.root:
        raise NotRecorded(
            f"the ledger, of {size} entries, does not begin with the {since.size} entries of that head",
            where=store.location,
            next_step=_VERIFY,
        )
    return merkle.consistency(since.size, size, store.node)


def admit(store: Store, witnessed: Kept, witnesses: Collection[WitnessKey]) -> tuple[WitnessKey, ...]:
    """Keep the signatures of these witnesses under a head of the ledger, and say whose are new.

    `BadRequest` if the ledger has no such head, or none of them signed it.
    """
    size = witnessed.checkpoint.size
    head = next(store.heads(size), None)
    if head is None or checkpoint.unverified(head.checkpoint)[0] != witnessed.checkpoint:
        raise BadRequest(
            f"the ledger has no such head over {size} entries",
            where=store.location,
            next_step="Give a head that `mandate ledger checkpoint` printed of this ledger",
        )
    made = note.verify(witnessed.note, witnesses)
    if not made:
        raise BadRequest(
            "none of the given witnesses signed this head",
            next_step="Give the verifier keys of the witnesses with --witness",
        )
    there = store.cosignatures(size)
    new = [(key, signature) for key, signature in made if signature.line.encode() not in there]
    for _, signature in dict(new).items():
        store.cosign(size, signature.line.encode())
    return tuple(dict(new))


def _not_right(store: Reader, head: Head, why: str) -> NotRecorded:
    return NotRecorded(
        f"the head over {head.size} entries is not right: {why}", where=store.location, next_step=_VERIFY
    )


def note_keys(origin: str, keys: Mapping[str, PublicKey]) -> tuple[NoteKey, ...]:
    """Of the keys, those that can sign heads of the ledger with this name."""
    return note.keys_named(origin, keys.values())
