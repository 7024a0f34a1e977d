"""What a witness signs: this head, at this time, grew from the one before (https://c2sp.org/tlog-cosignature).

A witness keeps of each log the largest head that it saw, and signs a head only if it is proven to begin with
that one. So nobody can show two people two different logs with the same witness's signature.

Only Ed25519 (version 1) is read; signatures in ML-DSA-44 are passed over as those of unknown keys are.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace

from ...errors import BadInput
from ..keys import Signer
from ..public_keys import PublicKey
from . import note
from .note import Note, Signature

_STAMPED = struct.Struct(">Q64s")
_LATEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class WitnessKey:
    """An Ed25519 key of a witness (signature type 0x04)."""

    name: str
    key: bytes
    """The public key's 32 bytes (RFC 8032)."""

    TYPE = 0x04

    @classmethod
    def of(cls, name: str, key: PublicKey) -> WitnessKey:
        """The value. `BadInput` if it is no Ed25519 key, or no key's name."""
        return cls(note.checked_name(name), note.ed25519_bytes(key))

    @classmethod
    def parse(cls, vkey: str) -> WitnessKey:
        """The key in `<name>+<hash>+<base64>`. `BadInput` if it is of another type, or written otherwise."""
        return cls(*note.parse_vkey(vkey, cls.TYPE))

    @property
    def vkey(self) -> str:
        """The key as text, as other verifiers take it."""
        return note.vkey(self.name, self.TYPE, self.key)

    @property
    def key_hash(self) -> bytes:
        """What is written before its signatures."""
        return note.key_hash(self.name, self.TYPE, self.key)

    def verifies(self, signature: bytes, text: str) -> bool:
        """Whether this witness signed the head with this text, at whatever time."""
        if len(signature) != _STAMPED.size:
            return False
        time, made = _STAMPED.unpack(signature)
        return time <= _LATEST and note.public_key(self.key).verifies(made, _message(time, text))


def time_of(signature: Signature) -> int:
    """When a witness signed, in seconds since 1970; of a signature that was verified."""
    time: int
    time, _ = _STAMPED.unpack(signature.signature)
    return time


def add(head: Note, name: str, signer: Signer, time: int) -> Note:
    """The head with a witness's signature more. `time` is in seconds since 1970."""
    if not 0 <= time <= _LATEST:
        raise BadInput("a witness signs at a time from 1970 on")
    key = WitnessKey.of(name, signer.public_key)
    signature = _STAMPED.pack(time, signer.sign(_message(time, head.text)))
    return replace(head, signatures=(*head.signatures, Signature(name, key.key_hash, signature)))


def _message(time: int, text: str) -> bytes:
    return f"cosignature/v1\ntime {time}\n{text}".encode()
