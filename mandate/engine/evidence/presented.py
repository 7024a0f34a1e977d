"""An entry that a service shows to somebody who has no ledger, and who is about to sign something about it.

1. It is a proof file, and its inclusion proof leads from the entry to the head.
2. A key of the ledger that this person got elsewhere signed the head, and the entry unless a person did.
3. The entry says what an entry of its kind can say, agrees with itself, and was made for the head's ledger.

Without such a key there is no step 2, and whatever shows the entry must say so: the file is then no more than
somebody's word. What is signed about it counts for nothing elsewhere, because it has the digest of what was
shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import BadInput
from . import envelope as dsse
from . import proof_file, reading, statement
from .envelope import Envelope
from .log import checkpoint, merkle, note, proof
from .predicates.base import Predicate
from .predicates.decision import DecisionPredicate
from .public_keys import PublicKey, keyring
from .receipt import Record


@dataclass(frozen=True, slots=True)
class Presented:
    """An entry as it was shown."""

    predicate: Predicate
    index: int
    leaf: bytes
    envelope: Envelope
    vouched: tuple[str, ...]
    """The ids of the keys that signed the head and that this person was given; empty if there was none."""

    @property
    def record(self) -> Record:
        """The decision in it. `BadInput` if it is something else."""
        if not isinstance(self.predicate, DecisionPredicate):
            raise BadInput("this entry is no decision", where=self.predicate.id)
        return reading.record_of(self.predicate, self.envelope, self.index, self.leaf)


def read(data: bytes, keys: Sequence[PublicKey]) -> Presented:
    """The entry in a proof file; `keys`: of the ledger, got from elsewhere. `BadInput` if a step fails."""
    file = proof_file.parse(data)  # 1
    head = checkpoint.unverified(file.proof.checkpoint)[0]
    if not merkle.verify_inclusion(file.leaf, file.proof.index, head.size, head.root, file.proof.hashes):
        raise BadInput("the inclusion proof does not lead from this entry to the head")
    stated = statement.read(file.envelope.payload)
    predicate = stated.predicate
    vouched: tuple[str, ...] = ()
    if keys:  # 2
        accepted = proof.verify(file.proof, file.leaf, note.keys_named(head.origin, keys))
        vouched = tuple(key.public_key.keyid for key in accepted.signed_by)
        if not predicate.PERSONAL:
            dsse.verify(file.envelope, keyring(*keys))
    for wrong in statement.contradictions(stated, statement.parse(file.envelope.payload)):  # 3
        raise BadInput(wrong)
    if predicate.ledger.origin != head.origin:
        raise BadInput(f"the entry was made for another ledger, {predicate.ledger.origin[:100]!a}")
    return Presented(predicate, file.proof.index, file.leaf, file.envelope, vouched)
