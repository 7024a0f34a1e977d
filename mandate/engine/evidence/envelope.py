"""The DSSE envelope: a payload, its type, and signatures over both.

Format: https://github.com/secure-systems-lab/dsse (protocol and envelope, v1.0.2). What is signed is the
pre-authentication encoding (PAE), so a payload can never be taken for one of another type.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from .. import strict_json
from ..errors import BadInput
from . import strict_base64
from .keys import Signer
from .public_keys import PublicKey

PAYLOAD_TYPE = "application/vnd.in-toto+json"
MAX_BYTES = 16 * 1024 * 1024
"""Envelopes that are longer are neither written nor read: an input document is thousands of times shorter."""
_MAX_SIGNATURES = 16
_BEGIN = b'{"payload":"'


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature and the id of the key that made it."""

    keyid: str
    sig: bytes


@dataclass(frozen=True, slots=True)
class Envelope:
    """A signed payload."""

    payload: bytes
    signatures: tuple[Signature, ...]
    payload_type: str = PAYLOAD_TYPE

    def to_json(self) -> dict[str, Any]:
        """The envelope as JSON."""
        return {
            "payload": strict_base64.encode(self.payload),
            "payloadType": self.payload_type,
            "signatures": [
                {"keyid": made.keyid, "sig": strict_base64.encode(made.sig)} for made in self.signatures
            ],
        }

    def to_bytes(self) -> bytes:
        """The envelope as it is stored: its JSON in one line, keys sorted."""
        return json.dumps(self.to_json(), separators=(",", ":"), sort_keys=True).encode()


def pae(payload_type: str, payload: bytes) -> bytes:
    """DSSE's pre-authentication encoding: `DSSEv1 <length> <type> <length> <payload>`, lengths in bytes."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def seal(payload: bytes, signer: Signer) -> Envelope:
    """The payload, signed."""
    signature = signer.sign(pae(PAYLOAD_TYPE, payload))
    return Envelope(payload, (Signature(signer.public_key.keyid, signature),))


def parse(data: bytes) -> Envelope:
    """The envelope in `data`. `BadInput` for everything that is not one, down to a key that stands twice."""
    if len(data) > MAX_BYTES:
        raise BadInput(f"the envelope is longer than {MAX_BYTES} bytes")
    payload, rest = _taken_out(data)
    try:
        # Two readers must not see two different envelopes.
        envelope = of(strict_json.parse(rest))
    except strict_json.NotStrict as error:
        raise BadInput(f"the envelope is not JSON: {error}") from error
    return envelope if payload is None else replace(envelope, payload=payload)


def of(document: Any) -> Envelope:
    """The envelope that a JSON document is. `BadInput` as `parse` says it."""
    fields = _fields(document, "payload", "payloadType", "signatures")
    if fields["payloadType"] != PAYLOAD_TYPE:
        raise BadInput(f"the payload's type is not {PAYLOAD_TYPE}")
    signatures = fields["signatures"]
    if not isinstance(signatures, list) or not 1 <= len(signatures) <= _MAX_SIGNATURES:
        raise BadInput(f"the envelope does not have 1 to {_MAX_SIGNATURES} signatures")
    made = tuple(_signature(_fields(signature, "keyid", "sig")) for signature in signatures)
    if len({signature.keyid for signature in made}) != len(made):
        raise BadInput("the envelope has two signatures by one key")
    return Envelope(_decode(fields["payload"]), made)


def _taken_out(data: bytes) -> tuple[bytes | None, bytes]:
    """The payload, where it comes first and is base64, and the envelope with an empty one in its place.

    It is nearly all of the envelope, and no character of base64 means anything in a JSON text.
    """
    if not data.startswith(_BEGIN):
        return None, data
    text, quote, rest = data[len(_BEGIN) :].partition(b'"')
    try:
        return _decode(text.decode("ascii")), _BEGIN + quote + rest
    except (BadInput, UnicodeDecodeError):
        return None, data


def verify(envelope: Envelope, keys: Mapping[str, PublicKey]) -> None:
    """Return if each signature is by a known key and right; `BadInput` naming the key otherwise.

    An envelope without a signature is never right.
    """
    if not envelope.signatures:
        raise BadInput("the envelope has no signature")
    signed = pae(envelope.payload_type, envelope.payload)
    for signature in envelope.signatures:
        key = keys.get(signature.keyid)
        if key is None:
            raise BadInput(
                f"it is signed by an unknown key, {ascii(signature.keyid)[1:-1][:100]}",
                next_step="Give that key's public key if you trust it",
            )
        if not key.verifies(signature.sig, signed):
            raise BadInput(f"the signature by {key.keyid} is wrong")


def _signature(fields: dict[str, Any]) -> Signature:
    if not isinstance(fields["keyid"], str):
        raise BadInput("a signature's key id is not text")
    return Signature(fields["keyid"], _decode(fields["sig"]))


def _fields(document: Any, *names: str) -> dict[str, Any]:
    if not isinstance(document, dict) or set(document) != set(names):
        raise BadInput(f"the envelope does not have exactly the fields {', '.join(names)}")
    return document


def _decode(text: Any) -> bytes:
    try:
        if isinstance(text, str):
            return strict_base64.decode(text)
    except ValueError as error:
        raise BadInput("the envelope has something that is not base64") from error
    raise BadInput("the envelope has something that is not base64")
