from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from securesystemslib import dsse
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey

from mandate.engine.errors import BadInput
from mandate.engine.evidence import envelope
from mandate.engine.evidence.envelope import Envelope, Signature
from mandate.engine.evidence.keys import SigningKey
from mandate.engine.evidence.public_keys import keyring

KEY = SigningKey.of(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
KEYS = keyring(KEY.public_key)
PAYLOAD = b'{"_type":"https://in-toto.io/Statement/v1"}'
STORED = envelope.seal(PAYLOAD, KEY).to_bytes()


def edited(**changes: Any) -> bytes:
    return json.dumps(json.loads(STORED) | changes).encode()


def test_pae_is_that_of_the_specification() -> None:
    """The example of https://github.com/secure-systems-lab/dsse/blob/master/protocol.md."""
    assert envelope.pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def test_lengths_in_pae_are_bytes() -> None:
    assert envelope.pae("é", "ü".encode()) == b"DSSEv1 2 \xc3\xa9 2 \xc3\xbc"


def test_what_is_sealed_reads_back_and_verifies() -> None:
    read = envelope.parse(STORED)
    assert read == envelope.seal(PAYLOAD, KEY)
    assert read.payload == PAYLOAD
    assert read.to_bytes() == STORED
    envelope.verify(read, KEYS)


def test_securesystemslib_verifies_it_and_refuses_another_payload() -> None:
    key = SSlibKey.from_crypto(KEY.public_key.key, keyid=KEY.keyid)
    theirs = dsse.Envelope.from_dict(json.loads(STORED))
    assert theirs.verify([key], 1) == {KEY.keyid: key}
    theirs.payload += b" "
    with pytest.raises(VerificationError):
        theirs.verify([key], 1)


def test_signature_over_another_type_is_wrong() -> None:
    made = Signature(KEY.keyid, KEY.sign(envelope.pae("text/plain", PAYLOAD)))
    with pytest.raises(BadInput, match=r"signature by SHA256:.* is wrong"):
        envelope.verify(Envelope(PAYLOAD, (made,)), KEYS)


def test_unknown_key_is_named() -> None:
    with pytest.raises(BadInput, match="signed by an unknown key, SHA256:"):
        envelope.verify(envelope.parse(STORED), {})


def test_name_of_an_unknown_key_is_escaped() -> None:
    made = Signature("\x1b[2J\u202e{}", b"")
    with pytest.raises(BadInput) as error:
        envelope.verify(Envelope(PAYLOAD, (made,)), KEYS)
    assert error.value.what == r"it is signed by an unknown key, \x1b[2J\u202e{}"


def test_no_signature_is_never_right() -> None:
    with pytest.raises(BadInput, match="no signature"):
        envelope.verify(Envelope(PAYLOAD, ()), KEYS)


def test_one_wrong_signature_of_two_is_wrong() -> None:
    other = SigningKey.of(Ed25519PrivateKey.from_private_bytes(bytes(32)))
    right = envelope.seal(PAYLOAD, KEY).signatures
    both = Envelope(PAYLOAD, (*right, Signature(other.keyid, right[0].sig)))
    with pytest.raises(BadInput, match="is wrong"):
        envelope.verify(both, keyring(KEY.public_key, other.public_key))


SIGNATURE = json.loads(STORED)["signatures"][0]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b"\xff\xfe",
        b"\xef\xbb\xbf" + STORED,
        b"[" * 200_000,
        b'{"payload":' * 200_000,
        b"9" * 5000,
        STORED[:-1] + b',"payload":"AAAA"}',
        STORED + b"{}",
        STORED + b" " * envelope.MAX_BYTES,
        edited(extra=1),
        edited(payload=None),
        edited(payload="AAA"),
        edited(payload="AB=="),
        edited(payload="AA-_"),
        edited(payload="AAAA\n"),
        edited(payload="ÄAAA"),
        edited(payload=["AAAA"]),
        edited(payloadType="text/plain"),
        edited(payloadType=None),
        edited(signatures=[]),
        edited(signatures={}),
        edited(signatures=None),
        edited(signatures=[None]),
        edited(signatures=[SIGNATURE, SIGNATURE]),
        edited(signatures=[SIGNATURE | {"keyid": str(number)} for number in range(17)]),
        edited(signatures=[SIGNATURE | {"keyid": 1}]),
        edited(signatures=[SIGNATURE | {"sig": 1}]),
        edited(signatures=[SIGNATURE | {"cert": ""}]),
        edited(signatures=[{"sig": SIGNATURE["sig"]}]),
    ],
    ids=range(32),
)
def test_what_is_no_envelope_is_refused(data: bytes) -> None:
    with pytest.raises(BadInput):
        envelope.parse(data)


@pytest.mark.parametrize(
    "payload",
    ["", "AAAA", "AAA=", "AAA", "AB==", "AA-_", "AAAA\\n", "\\u0041AAA", "ÄAAA", "AA AA", "\\", '"'],
)
def test_a_payload_that_comes_first_is_read_as_one_that_comes_later(payload: str) -> None:
    text = f'"payload":"{payload}"'
    rest = STORED.decode().partition(",")[2].removesuffix("}")
    read: list[Envelope | None] = []
    for data in (f"{{{text},{rest}}}", f"{{ {text},{rest}}}", f"{{{rest},{text}}}"):
        try:
            read.append(envelope.parse(data.encode()))
        except BadInput:
            read.append(None)
    assert read[0] == read[1] == read[2]
    assert (read[0] is None) == (payload not in ("", "AAAA", "AAA=", "\\u0041AAA"))


def accepted(data: bytes) -> bytes | None:
    try:
        read = envelope.parse(data)
        envelope.verify(read, KEYS)
    except BadInput:
        return None
    return read.payload


@given(
    at=st.integers(0, len(STORED) - 1),
    removed=st.integers(0, 8),
    inserted=st.binary(max_size=8) | st.sampled_from([b'"', b"\\u0041", b"=", b"A", b"/", b" ", b"\n", b"}"]),
)
def test_any_changed_byte_is_refused_or_means_the_same(at: int, removed: int, inserted: bytes) -> None:
    assert accepted(STORED[:at] + inserted + STORED[at + removed :]) in (None, PAYLOAD)


def test_every_flipped_bit_is_refused_or_means_the_same() -> None:
    for at in range(len(STORED)):
        for bit in range(8):
            changed = bytearray(STORED)
            changed[at] ^= 1 << bit
            assert accepted(bytes(changed)) in (None, PAYLOAD)


@given(payload=st.binary(max_size=64), sig=st.binary(max_size=80))
def test_nothing_but_what_the_key_signed_is_accepted(payload: bytes, sig: bytes) -> None:
    forged = edited(
        payload=base64.b64encode(payload).decode(),
        signatures=[{"keyid": KEY.keyid, "sig": base64.b64encode(sig).decode()}],
    )
    assert accepted(forged) is None


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    assert accepted(data) is None
