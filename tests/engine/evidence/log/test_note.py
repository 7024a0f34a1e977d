from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mandate.engine.errors import BadInput
from mandate.engine.evidence.log import note
from mandate.engine.evidence.log.note import Note, NoteKey, Signature

from .signers import KEY, LEDGER, NEXT_KEY, NEXT_LEDGER, ORIGIN, P256

EXAMPLE_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
EXAMPLE = (
    "This is an example message.\n\n— example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
).encode()
SIGNED = note.sign("one\n\ntwo\n", ORIGIN, LEDGER)
LINE = SIGNED.signatures[0].line


def signed(data: bytes, *keys: NoteKey) -> list[NoteKey]:
    return [key for key, _ in note.verify(note.parse(data), keys)]


def test_the_example_of_the_specification_is_signed_by_its_key() -> None:
    key = NoteKey.parse(EXAMPLE_KEY)
    assert key.vkey == EXAMPLE_KEY
    assert signed(EXAMPLE, key) == [key]
    assert note.parse(EXAMPLE).to_bytes() == EXAMPLE


def test_what_is_signed_is_read_back() -> None:
    assert note.parse(SIGNED.to_bytes()) == SIGNED
    assert signed(SIGNED.to_bytes(), KEY, NEXT_KEY) == [KEY]


def test_two_keys_of_one_name_are_told_apart() -> None:
    both = Note(SIGNED.text, (*SIGNED.signatures, *note.sign(SIGNED.text, ORIGIN, NEXT_LEDGER).signatures))
    assert signed(both.to_bytes(), KEY, NEXT_KEY) == [KEY, NEXT_KEY]
    assert signed(both.to_bytes(), NEXT_KEY) == [NEXT_KEY]


def test_signatures_of_unknown_keys_mean_nothing() -> None:
    stranger = Signature("stranger.example", b"abcd", b"no signature at all")
    same_name = Signature(ORIGIN, b"abcd", b"no signature at all")
    same_hash = Signature("stranger.example", KEY.key_hash, b"no signature at all")
    mixed = Note(SIGNED.text, (stranger, same_name, *SIGNED.signatures, same_hash))
    assert signed(mixed.to_bytes(), KEY) == [KEY]
    assert signed(mixed.to_bytes()) == []


@pytest.mark.parametrize("wrong", [b"x", bytes(64), bytes(65), SIGNED.signatures[0].signature[:-1]])
def test_a_wrong_signature_of_a_known_key_spoils_the_note(wrong: bytes) -> None:
    spoilt = Note(SIGNED.text, (*SIGNED.signatures, Signature(ORIGIN, KEY.key_hash, wrong)))
    with pytest.raises(BadInput, match=r"the signature of 'bank\.example/models', key [0-9a-f]{8}, is wrong"):
        signed(spoilt.to_bytes(), KEY)


def test_a_changed_text_is_not_signed() -> None:
    with pytest.raises(BadInput, match="is wrong"):
        signed(SIGNED.to_bytes().replace(b"two", b"to "), KEY)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "no signature"),
        (b"text\n", "no signature"),
        (b"text\n\n", "no signature"),
        (f"text\n{LINE}".encode(), "no signature"),
        (SIGNED.to_bytes()[:-1], "ends in the middle of a line"),
        (SIGNED.to_bytes() + b"\n", "no signature"),
        (SIGNED.to_bytes() + b"more\n", "a line below its text that is not a signature"),
        (SIGNED.to_bytes().replace("— ".encode(), b"- "), "not a signature"),
        (SIGNED.to_bytes().replace(b"models ", b"models"), "not a signature"),
        (SIGNED.to_bytes().replace(b"models ", b"models  "), "not base64"),
        (SIGNED.to_bytes().replace(b"bank", b"b\xc2\xa0nk"), "cannot be the name of a key"),
        (SIGNED.to_bytes().replace(b"bank", b"b+nk"), "cannot be the name of a key"),
        (SIGNED.to_bytes().replace(b"bank.example/models", b""), "cannot be the name of a key"),
        (SIGNED.to_bytes().replace(b"=\n", b"\n"), "not base64"),
        (SIGNED.to_bytes().replace(b"\n", b"\r\n"), "control characters"),
        (SIGNED.to_bytes().replace(b"one", b"o\0e"), "control characters"),
        (SIGNED.to_bytes().replace(b"one", b"o\xffe"), "not UTF-8"),
        ("text\n\n— name eHh4eA==\n".encode(), "a signature that is too short"),
        (f"text\n\n{LINE * 101}".encode(), "more than 100 signatures"),
        (b"x" * note.MAX_BYTES + SIGNED.to_bytes(), "longer than 131072 bytes"),
    ],
)
def test_what_is_no_note_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(BadInput, match=why):
        note.parse(data)


def test_so_many_signatures_are_read() -> None:
    assert len(note.parse(f"text\n\n{LINE * 100}".encode()).signatures) == 100
    quantum = Note("text\n", tuple(Signature("w.example", bytes([n] * 4), bytes(5000)) for n in range(16)))
    assert note.parse(quantum.to_bytes()) == quantum


@pytest.mark.parametrize("text", ["", "no newline", "a\ttab\n", "half a line\r\n"])
def test_a_text_that_cannot_stand_in_a_note_is_not_signed(text: str) -> None:
    with pytest.raises(BadInput, match="ends with a newline and has no control characters"):
        note.sign(text, ORIGIN, LEDGER)


@pytest.mark.parametrize(
    "name", ["", "two words", "a+b", "a\u2003b", "a\nb", "a\x85b", "\ud800", "x" * 1001, "x\0"]
)
def test_a_name_that_cannot_stand_in_a_note_is_no_keys(name: str) -> None:
    with pytest.raises(BadInput, match="cannot be the name of a key"):
        NoteKey.of(name, LEDGER.public_key)


def test_only_ed25519_signs_notes() -> None:
    with pytest.raises(BadInput, match="is not an Ed25519 key"):
        NoteKey.of(ORIGIN, P256)


def vkey(kind: bytes, key: bytes) -> str:
    digits = note.key_hash("n", kind[0], key).hex()
    return f"n+{digits}+{base64.b64encode(kind + key).decode()}"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "the form"),
        ("n", "the form"),
        ("n+12345678", "the form"),
        ("n+1234567+AA==", "the form"),
        ("n+1234567G+AA==", "the form"),
        (EXAMPLE_KEY.replace("530d903a", "530D903A"), "the form"),
        (f"{EXAMPLE_KEY}\n", "not base64"),
        ("n+12345678+A", "not base64"),
        ("n+12345678+Aé==", "not base64"),
        ("n+12345678+", "not of type 0x01 with 32 bytes"),
        (vkey(b"\x04", bytes(32)), "not of type 0x01"),
        (vkey(b"\x01", bytes(31)), "not of type 0x01"),
        (EXAMPLE_KEY.replace("530d903a", "530d903b"), "its hash is not that of its name and key"),
        (EXAMPLE_KEY.replace("foo", "fo0"), "its hash is not that of its name and key"),
        (EXAMPLE_KEY.replace("foo", "f o"), "cannot be the name of a key"),
    ],
)
def test_what_is_no_verifier_key_is_refused(text: str, why: str) -> None:
    with pytest.raises(BadInput, match=why):
        NoteKey.parse(text)


@given(st.integers(0, len(SIGNED.to_bytes()) - 1), st.integers(1, 255))
def test_no_byte_can_be_changed(at: int, by: int) -> None:
    data = bytearray(SIGNED.to_bytes())
    data[at] ^= by
    try:
        signers = signed(bytes(data), KEY)
    except BadInput:
        return
    # With another name or hash it is the note of a stranger.
    assert signers == []
