"""The proof file of an entry, made from a ledger."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from ..errors import BadInput, NotRecorded
from . import heads, proof_file, reading
from .heads import Kept
from .ledger import Reader
from .log import merkle, proof
from .log.proof import Proof
from .public_keys import PublicKey


def prove(
    store: Reader, reference: str, keys: Mapping[str, PublicKey], *, under: Kept | None = None
) -> bytes:
    """The proof file of the entry that a reference means, as `reading.find` takes it.

    `under`: a head that was kept elsewhere, say with signatures of witnesses; the newest otherwise.
    `NotRecorded` if the entry, the tree or the head is damaged: what is handed out has been verified. Who
    signed the entry is for the reader of the file to judge.
    """
    stored = reading.entry(store, reference)
    head = under or heads.kept(heads.newest(store, keys), store.origin, keys)
    size = head.checkpoint.size
    if stored.index >= size:
        raise BadInput(
            f"the head covers {size} entries, and this is entry {stored.index}",
            next_step="Give a head that was signed after the entry was recorded",
        )
    made = Proof(stored.index, merkle.inclusion(stored.index, size, store.node), head.note.to_bytes())
    # Where the envelope is gone, nothing leads to the head.
    envelope = stored.envelope or b""
    leaf = hashlib.sha256(envelope).digest()
    try:
        accepted = proof.verify(made, leaf, heads.note_keys(store.origin, keys))
        return proof_file.make(envelope, made, accepted.signed_by[0])
    except BadInput as error:
        raise NotRecorded(
            f"the entry cannot be proven: {error.what}",
            where=f"{store.location}, entry {stored.index}",
            next_step="Run `mandate ledger verify`, and keep a copy of the ledger as it is",
        ) from error
