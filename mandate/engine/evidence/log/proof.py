"""The proof that an entry is in a log, in one text that is checked offline (https://c2sp.org/tlog-proof).

c2sp.org/tlog-proof@v1
index <of the entry>
<the inclusion proof, one hash a line>

<the signed head>
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from ...errors import BadInput
from ..strict_base64 import decode, encode
from . import checkpoint as heads
from . import note
from .checkpoint import Accepted
from .cosignature import WitnessKey
from .merkle import EMPTY_ROOT, MAX_PROOF, verify_inclusion
from .note import NoteKey

HEADER = "c2sp.org/tlog-proof@v1"
MAX_BYTES = note.MAX_BYTES + 64 * 1024

_EXTRA = "extra "
_INDEX = "index "


@dataclass(frozen=True, slots=True)
class Proof:
    """Where the entry stands, its inclusion proof, and the head that this leads to."""

    index: int
    hashes: tuple[bytes, ...]
    """32 bytes each, from the entry's sibling upwards."""
    checkpoint: bytes
    """The signed head, word for word."""

    def to_bytes(self) -> bytes:
        """The proof as text, without extra data."""
        lines = (HEADER, f"{_INDEX}{self.index}", *(encode(one) for one in self.hashes), "", "")
        return "\n".join(lines).encode() + self.checkpoint


def parse(data: bytes) -> Proof:
    """The proof in `data`, which nobody has verified yet. `BadInput` for everything that is not one.

    Extra data is passed over: nothing authenticates it.
    """
    if len(data) > MAX_BYTES:
        raise BadInput(f"the proof is longer than {MAX_BYTES} bytes")
    above, blank, head = data.partition(b"\n\n")
    if not blank:
        raise BadInput("the proof has no empty line above its head")
    try:
        lines = above.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise BadInput("the proof has something that is not ASCII above its head") from error
    if lines[0] != HEADER:
        raise BadInput(f"the proof is not a {HEADER}")
    rest = lines[1:]
    if rest and rest[0].startswith(_EXTRA):
        _decoded(rest.pop(0).removeprefix(_EXTRA), "extra data")
    if not rest or not rest[0].startswith(_INDEX):
        raise BadInput("the proof does not say the entry's index")
    index = heads.number(rest.pop(0).removeprefix(_INDEX), what="the proof's index")
    if len(rest) > MAX_PROOF:
        raise BadInput(f"the proof has more than {MAX_PROOF} hashes")
    hashes = tuple(_decoded(line, "a hash") for line in rest)
    if any(len(one) != len(EMPTY_ROOT) for one in hashes):
        raise BadInput(f"the proof has a hash that does not have {len(EMPTY_ROOT)} bytes")
    # What is not a head is no proof, whoever reads it.
    heads.unverified(head)
    return Proof(index, hashes, head)


def verify(
    proof: Proof,
    data: bytes,
    keys: Collection[NoteKey],
    witnesses: Collection[WitnessKey] = (),
    *,
    required: int = 0,
) -> Accepted:
    """The head under which `data` is an entry of the log. `BadInput` unless the head is one that
    `checkpoint.accept` accepts, and the proof leads from the entry to its root.
    """
    accepted = heads.accept(proof.checkpoint, keys, witnesses, required=required)
    head = accepted.checkpoint
    if not verify_inclusion(data, proof.index, head.size, head.root, proof.hashes):
        raise BadInput(
            f"the proof does not lead from the entry, as number {proof.index}, to the head of {head.size}",
            next_step="Ask for the proof that belongs to this entry",
        )
    return accepted


def _decoded(text: str, what: str) -> bytes:
    try:
        return decode(text)
    except ValueError as error:
        raise BadInput(f"the proof has {what} that is not base64") from error
