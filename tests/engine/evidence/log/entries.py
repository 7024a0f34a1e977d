"""A log of envelopes, and the proof files of its entries."""

from __future__ import annotations

import hashlib
from typing import Any

from mandate.engine.digests import canonical
from mandate.engine.evidence import envelope as dsse
from mandate.engine.evidence import proof_file
from mandate.engine.evidence.keys import Signer
from mandate.engine.evidence.log import checkpoint, merkle, note
from mandate.engine.evidence.log.checkpoint import Checkpoint
from mandate.engine.evidence.log.note import Note
from mandate.engine.evidence.log.proof import Proof

from .signers import KEY, LEDGER, ORIGIN
from .trees import Tree

SIZE = 7
INDEX = 4


def statement(number: int = INDEX, **predicate: Any) -> dict[str, Any]:
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "predicateType": "https://mandate.dev/attestations/decision/v1",
        "subject": [{"name": "models:/credit/3", "digest": {"sha256": "ab" * 32}}],
        "predicate": {
            "id": f"019caa3d-c400-7000-8000-{number:012d}",
            "recordedAt": "2026-03-01T12:00:00.000Z",
            "outcome": "deny",
            "decision": {"findings": [], "outcome": "deny"},
            "policy": {"revision": "v1.4.0", "bundleSha256": "01" * 32},
            "opa": {"version": None},
            "ledger": {"origin": ORIGIN},
            **predicate,
        },
    }


def sealed(document: Any, signer: Signer = LEDGER) -> bytes:
    return dsse.seal(canonical(document), signer).to_bytes()


class Log(Tree):
    """Its entry `INDEX` is what it is made with; the others are decisions."""

    def __init__(self, envelope: bytes | None = None) -> None:
        self.envelopes = [sealed(statement(number)) for number in range(SIZE)]
        if envelope is not None:
            self.envelopes[INDEX] = envelope
        super().__init__(SIZE)

    def entry(self, number: int) -> bytes:
        return hashlib.sha256(self.envelopes[number]).digest()

    def head(self, signer: Signer = LEDGER) -> Note:
        return note.parse(checkpoint.signed(Checkpoint(ORIGIN, SIZE, self.roots[SIZE]), signer))

    def proof(self, head: Note | None = None) -> Proof:
        hashes = merkle.inclusion(INDEX, SIZE, self.read)
        return Proof(INDEX, hashes, (head or self.head()).to_bytes())

    def file(self, head: Note | None = None) -> bytes:
        """The proof file of entry `INDEX`."""
        return proof_file.make(self.envelopes[INDEX], self.proof(head), KEY)
