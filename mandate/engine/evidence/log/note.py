"""A signed note: text, a blank line, and a line for each signature (https://c2sp.org/signed-note).

Who signed is known by a name and four bytes of a hash over name and key. That says which key to try, and
nothing more: what counts is that the signature is right by a key that the reader brought.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ...errors import BadInput
from ..keys import Signer
from ..public_keys import PublicKey
from ..strict_base64 import decode, encode

MAX_BYTES = 128 * 1024
"""Room for 16 signatures of 5,000 bytes, as the specification demands: post-quantum ones are that long."""
MAX_SIGNATURES = 100
MAX_NAME = 1000
"""In characters. A name is a host and a path."""

_DASH = "— "
_HASH = 4
_KEY = 32
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_KEY_HASH_HEX = re.compile(r"[0-9a-f]{8}")


class Verifier(Protocol):
    """A key whose signatures count, under a name."""

    @property
    def name(self) -> str:
        """Whose key it is."""

    @property
    def key_hash(self) -> bytes:
        """Four bytes that tell keys of the same name apart."""

    def verifies(self, signature: bytes, text: str) -> bool:
        """Whether this key made `signature` on the note's text."""


KeyT = TypeVar("KeyT", bound=Verifier)


@dataclass(frozen=True, slots=True)
class NoteKey:
    """An Ed25519 key that signs notes under a name (signature type 0x01)."""

    name: str
    key: bytes
    """The public key's 32 bytes (RFC 8032)."""

    TYPE = 0x01

    @classmethod
    def of(cls, name: str, key: PublicKey) -> NoteKey:
        """The value. `BadInput` if it is no Ed25519 key, or no key's name."""
        return cls(checked_name(name), ed25519_bytes(key))

    @classmethod
    def parse(cls, vkey: str) -> NoteKey:
        """The key in `<name>+<hash>+<base64>`. `BadInput` if it is of another type, or written otherwise."""
        return cls(*parse_vkey(vkey, cls.TYPE))

    @property
    def vkey(self) -> str:
        """The key as text, as other verifiers take it."""
        return vkey(self.name, self.TYPE, self.key)

    @property
    def key_hash(self) -> bytes:
        """What is written before its signatures."""
        return key_hash(self.name, self.TYPE, self.key)

    @property
    def public_key(self) -> PublicKey:
        """The key without its name."""
        return public_key(self.key)

    def verifies(self, signature: bytes, text: str) -> bool:
        """Whether this key made `signature` on the note's text."""
        return self.public_key.verifies(signature, text.encode())


@dataclass(frozen=True, slots=True)
class Signature:
    """One line below the text. It says who is to have signed; whether it is true, `verify` tells."""

    name: str
    key_hash: bytes
    signature: bytes

    @property
    def line(self) -> str:
        """As it stands in the note."""
        return f"{_DASH}{self.name} {encode(self.key_hash + self.signature)}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A text and its signatures, which nobody has verified yet."""

    text: str
    """Ends with a newline."""
    signatures: tuple[Signature, ...]

    def to_bytes(self) -> bytes:
        """The note as it is kept and sent."""
        return f"{self.text}\n{''.join(made.line for made in self.signatures)}".encode()


def sign(text: str, name: str, signer: Signer) -> Note:
    """The note with the signature of one key. `BadInput` if text or name cannot stand in a note."""
    key = NoteKey.of(name, signer.public_key)
    if not text.endswith("\n") or _CONTROL.search(text):
        raise BadInput("a note's text ends with a newline and has no control characters")
    return Note(text, (Signature(name, key.key_hash, signer.sign(text.encode())),))


def parse(data: bytes) -> Note:
    """The note in `data`. `BadInput` for everything that is not one."""
    if len(data) > MAX_BYTES:
        raise BadInput(f"the signed note is longer than {MAX_BYTES} bytes")
    try:
        whole = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadInput("the signed note is not UTF-8") from error
    if _CONTROL.search(whole):
        raise BadInput("the signed note has control characters")
    # The text may have empty lines; the last one ends it.
    text, blank, lines = whole.rpartition("\n\n")
    if not blank or not lines.endswith("\n"):
        raise BadInput("the signed note has no signature, or ends in the middle of a line")
    signatures = lines[:-1].split("\n")
    if len(signatures) > MAX_SIGNATURES:
        raise BadInput(f"the signed note has more than {MAX_SIGNATURES} signatures")
    return Note(f"{text}\n", tuple(_signature(line) for line in signatures))


def verify(note: Note, keys: Collection[KeyT]) -> tuple[tuple[KeyT, Signature], ...]:
    """Which of the keys signed, and how. `BadInput` if the signature of one of them is wrong.

    Signatures of unknown keys mean nothing, and are passed over, as the specification demands. So an empty
    answer is a note that nobody signed.
    """
    known = {(key.name, key.key_hash): key for key in keys}
    made = []
    for signature in note.signatures:
        key = known.get((signature.name, signature.key_hash))
        if key is None:
            continue
        if not key.verifies(signature.signature, note.text):
            raise BadInput(f"the signature of {signature.name!a}, key {key.key_hash.hex()}, is wrong")
        made.append((key, signature))
    return tuple(made)


def keys_named(name: str, keys: Iterable[PublicKey]) -> tuple[NoteKey, ...]:
    """Of the keys, those that can sign notes, under this name."""
    return tuple(NoteKey.of(name, key) for key in keys if isinstance(key.key, Ed25519PublicKey))


def checked_name(name: str) -> str:
    """The name of a key. `BadInput` if it cannot be one."""
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise _no_name(name) from error
    if (
        not 1 <= len(name) <= MAX_NAME
        or "+" in name
        or _CONTROL.search(name)
        or "".join(name.split()) != name
    ):
        raise _no_name(name)
    return name


def key_hash(name: str, kind: int, key: bytes) -> bytes:
    """The four bytes that tell keys of one name apart."""
    return hashlib.sha256(b"%b\n%c%b" % (name.encode(), kind, key)).digest()[:_HASH]


def vkey(name: str, kind: int, key: bytes) -> str:
    """A verifier key as text: `<name>+<hash>+<base64 of type and key>`."""
    return f"{name}+{key_hash(name, kind, key).hex()}+{encode(bytes([kind]) + key)}"


def parse_vkey(text: str, kind: int) -> tuple[str, bytes]:
    """The name and the 32 bytes of a verifier key of this type. `BadInput` otherwise."""
    # Base64 has plus signs, too; names have none.
    name, first, rest = text.partition("+")
    digits, second, encoded = rest.partition("+")
    if not first or not second or not _KEY_HASH_HEX.fullmatch(digits):
        raise _no_vkey("it does not have the form <name>+<8 hexadecimal digits>+<base64>")
    try:
        key = decode(encoded)
    except ValueError as error:
        raise _no_vkey("its last part is not base64") from error
    if len(key) != 1 + _KEY or key[0] != kind:
        raise _no_vkey(f"its key is not of type 0x{kind:02x} with {_KEY} bytes")
    if key_hash(checked_name(name), kind, key[1:]).hex() != digits:
        raise _no_vkey("its hash is not that of its name and key")
    return name, key[1:]


def ed25519_bytes(key: PublicKey) -> bytes:
    """The public key's 32 bytes. `BadInput` if it is of another kind."""
    if not isinstance(key.key, Ed25519PublicKey):
        raise BadInput(
            f"{key.keyid} is not an Ed25519 key, and no other signs notes",
            next_step="Point to the ledger's key, which `mandate init` made",
        )
    return key.key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def public_key(key: bytes) -> PublicKey:
    """The key of 32 bytes."""
    return PublicKey.of(Ed25519PublicKey.from_public_bytes(key))


def _signature(line: str) -> Signature:
    name, space, encoded = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not space:
        raise BadInput("the signed note has a line below its text that is not a signature")
    try:
        signed = decode(encoded)
    except ValueError as error:
        raise BadInput("the signed note has a signature that is not base64") from error
    if len(signed) <= _HASH:
        raise BadInput("the signed note has a signature that is too short")
    return Signature(checked_name(name), signed[:_HASH], signed[_HASH:])


def _no_name(name: str) -> BadInput:
    return BadInput(
        f"{name[:80]!a} cannot be the name of a key",
        next_step=f"Take 1 to {MAX_NAME} characters, none of them a space or a plus sign",
    )


def _no_vkey(why: str) -> BadInput:
    return BadInput(
        f"this is no verifier key: {why}",
        next_step="Give it as the log's operator published it, in one line",
    )
