"""A signed head: how many entries the log had, and their root (https://c2sp.org/tlog-checkpoint).

The log signs under its origin as the key's name. It may have several keys; each of them can sign a head.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from ...errors import BadInput
from ..keys import Signer
from ..strict_base64 import decode, encode
from . import cosignature, note
from .cosignature import WitnessKey
from .merkle import EMPTY_ROOT, MAX_SIZE
from .note import Note, NoteKey

MAX_EXTENSIONS = 100
"""Lines below the root that the specification allows and that mean nothing to us."""

_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}")
_OWN_LINES = 3


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The head of a log."""

    origin: str
    size: int
    root: bytes
    """32 bytes."""

    @property
    def text(self) -> str:
        """What is signed."""
        return f"{self.origin}\n{self.size}\n{encode(self.root)}\n"


@dataclass(frozen=True, slots=True)
class Witnessed:
    """The signature of a witness on a head."""

    by: WitnessKey
    time: int
    """In seconds since 1970, by the clock of the witness."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A head, and who vouches for it."""

    checkpoint: Checkpoint
    signed_by: tuple[NoteKey, ...]
    """At least one."""
    witnessed_by: tuple[Witnessed, ...]


def signed(checkpoint: Checkpoint, signer: Signer) -> bytes:
    """The head as a signed note. `BadInput` if the origin cannot be the name of a key."""
    return note.sign(checkpoint.text, checkpoint.origin, signer).to_bytes()


def read(
    data: bytes, keys: Collection[NoteKey], witnesses: Collection[WitnessKey] = (), *, required: int = 0
) -> Checkpoint:
    """The head in `data`, if it is one that `accept` accepts. `BadInput` otherwise."""
    return accept(data, keys, witnesses, required=required).checkpoint


def accept(
    data: bytes, keys: Collection[NoteKey], witnesses: Collection[WitnessKey] = (), *, required: int = 0
) -> Accepted:
    """The head in `data`, and who signed it. `BadInput` unless all of this holds:

    1. It is a checkpoint, written as the specification says.
    2. No signature by one of the keys or witnesses is wrong.
    3. One of the keys that are named after its origin signed it.
    4. At least `required` of the witnesses signed it. A witness with two names counts once, and a key of the
       log is no witness of the log.
    """
    head = note.parse(data)
    checkpoint = parse_text(head.text)
    by_log = note.verify(head, keys)
    by_witnesses = note.verify(head, witnesses)
    signed_by = tuple(dict.fromkeys(key for key, _ in by_log if key.name == checkpoint.origin))
    if not signed_by:
        raise BadInput(
            f"the head of {checkpoint.origin!a} is not signed by any of the keys given for that log",
            next_step="Give the log's public key, and its name, as its operator published them",
        )
    witnessed_by = tuple(Witnessed(key, cosignature.time_of(made)) for key, made in by_witnesses)
    independent = {one.by.key for one in witnessed_by} - {key.key for key in keys}
    if len(independent) < required:
        raise BadInput(
            f"{len(independent)} of the given witnesses signed the head, and {required} must",
            next_step="Ask for a head that enough witnesses signed",
        )
    return Accepted(checkpoint, signed_by, witnessed_by)


def unverified(data: bytes) -> tuple[Checkpoint, Note]:
    """What the head in `data` says of itself, whoever signed it. `BadInput` if it is none."""
    head = note.parse(data)
    return parse_text(head.text), head


def parse_text(text: str) -> Checkpoint:
    """The head that a note's text says. `BadInput` if it says none."""
    lines = text.removesuffix("\n").split("\n")
    if len(lines) < _OWN_LINES or "" in lines:
        raise BadInput("the head does not have three lines: origin, size and root")
    if len(lines) > _OWN_LINES + MAX_EXTENSIONS:
        raise BadInput(f"the head has more than {MAX_EXTENSIONS} lines below its root")
    origin, size, encoded, *_ = lines
    try:
        root = decode(encoded)
    except ValueError as error:
        raise BadInput("the head's root is not base64") from error
    if len(root) != len(EMPTY_ROOT):
        raise BadInput(f"the head's root does not have {len(EMPTY_ROOT)} bytes")
    checkpoint = Checkpoint(origin, number(size, what="the head's size"), root)
    if checkpoint.size == 0 and root != EMPTY_ROOT:
        raise BadInput("the head is of an empty log, but its root is not")
    return checkpoint


def number(text: str, *, what: str) -> int:
    """A number below 2^63 in ASCII digits, without leading zeros. `BadInput` otherwise."""
    if not _DECIMAL.fullmatch(text) or int(text) > MAX_SIZE:
        raise BadInput(f"{what} is not a number below 2^63 in decimal digits without leading zeros")
    return int(text)
