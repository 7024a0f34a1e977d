"""What a witness is asked: to sign a head that grew from the one before (https://c2sp.org/tlog-witness).

old <the size of the head before>
<the consistency proof, one hash a line>

<the signed head>
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...errors import BadInput
from ..strict_base64 import decode, encode
from . import checkpoint as heads
from . import note
from .merkle import EMPTY_ROOT, MAX_PROOF

MAX_BYTES = note.MAX_BYTES + 4 * 1024
_OLD = "old "


@dataclass(frozen=True, slots=True)
class Request:
    """A head to be signed, and the proof that it grew."""

    old: int
    """The size of the head from which the proof leads."""
    proof: tuple[bytes, ...]
    checkpoint: bytes
    """The signed head, word for word."""


def request(old: int, proof: Sequence[bytes], checkpoint: bytes) -> bytes:
    """The body of `add-checkpoint`."""
    return "\n".join((f"{_OLD}{old}", *(encode(one) for one in proof), "", "")).encode() + checkpoint


def parse(data: bytes) -> Request:
    """The request in `data`, which nobody has verified yet. `BadInput` for everything that is not one.

    A head alone asks for its first signature: every log began empty.
    """
    if len(data) > MAX_BYTES:
        raise BadInput(f"the request is longer than {MAX_BYTES} bytes")
    if not data.startswith(_OLD.encode()):
        heads.unverified(data)
        return Request(0, (), data)
    above, _, head = data.partition(b"\n\n")
    try:
        first, *lines = above.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise BadInput("the request has something that is not ASCII above its head") from error
    if len(lines) > MAX_PROOF:
        raise BadInput(f"the request has more than {MAX_PROOF} hashes")
    heads.unverified(head)
    return Request(
        heads.number(first.removeprefix(_OLD), what="the old size"),
        tuple(_hash(line) for line in lines),
        head,
    )


def _hash(line: str) -> bytes:
    try:
        hash_ = decode(line)
    except ValueError as error:
        raise BadInput("the request has a hash that is not base64") from error
    if len(hash_) != len(EMPTY_ROOT):
        raise BadInput(f"the request has a hash that does not have {len(EMPTY_ROOT)} bytes")
    return hash_
