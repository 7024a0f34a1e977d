from __future__ import annotations

from dataclasses import replace

import pytest

from mandate.engine.errors import BadInput
from mandate.engine.evidence.log import checkpoint, cosignature, note
from mandate.engine.evidence.log.checkpoint import Accepted, Checkpoint, Witnessed
from mandate.engine.evidence.log.cosignature import WitnessKey
from mandate.engine.evidence.log.merkle import EMPTY_ROOT
from mandate.engine.evidence.log.note import Note, NoteKey, Signature

from .signers import (
    FIRST_WITNESS,
    KEY,
    LEDGER,
    NEXT_KEY,
    NEXT_LEDGER,
    ORIGIN,
    SECOND_WITNESS,
    W1,
    W2,
    WITNESS,
)

ROOT = bytes(range(32))
HEAD = Checkpoint(ORIGIN, 12, ROOT)
SIGNED = checkpoint.signed(HEAD, LEDGER)
NOON = 1772366400


def witnessed(*more: tuple[str, int]) -> bytes:
    head = note.parse(SIGNED)
    for name, time in more:
        head = cosignature.add(head, name, FIRST_WITNESS if name == WITNESS else SECOND_WITNESS, time)
    return head.to_bytes()


def spelt(text: str) -> bytes:
    return note.sign(text, ORIGIN, LEDGER).to_bytes()


def test_a_head_is_three_lines_and_a_signature() -> None:
    lines = SIGNED.decode().split("\n")
    assert lines[:4] == [ORIGIN, "12", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", ""]
    assert lines[4].startswith(f"— {ORIGIN} ")
    assert lines[5:] == [""]


def test_what_is_signed_is_read_back() -> None:
    assert checkpoint.read(SIGNED, [KEY]) == HEAD
    assert checkpoint.accept(SIGNED, [NEXT_KEY, KEY]) == Accepted(HEAD, (KEY,), ())
    empty = Checkpoint(ORIGIN, 0, EMPTY_ROOT)
    assert checkpoint.read(checkpoint.signed(empty, LEDGER), [KEY]) == empty


def test_each_key_of_the_log_can_sign_and_both() -> None:
    both = note.parse(SIGNED)
    more = note.parse(checkpoint.signed(HEAD, NEXT_LEDGER)).signatures
    both = replace(both, signatures=both.signatures + more + both.signatures)
    assert checkpoint.accept(both.to_bytes(), [KEY, NEXT_KEY]) == Accepted(HEAD, (KEY, NEXT_KEY), ())


def test_a_key_of_another_log_does_not_sign_this_one() -> None:
    other = NoteKey.of("bank.example/other", LEDGER.public_key)
    stranger = note.sign(HEAD.text, other.name, LEDGER).to_bytes()
    with pytest.raises(BadInput, match="not signed by any of the keys given for that log"):
        checkpoint.read(stranger, [other, KEY])
    with pytest.raises(BadInput, match="not signed by any"):
        checkpoint.read(SIGNED, [])


def test_an_origin_that_cannot_name_a_key_is_not_signed() -> None:
    with pytest.raises(BadInput, match="cannot be the name of a key"):
        checkpoint.signed(Checkpoint("two words", 0, EMPTY_ROOT), LEDGER)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("\n", "three lines"),
        (f"{ORIGIN}\n12\n", "three lines"),
        (HEAD.text + "\n", "three lines"),
        (HEAD.text.replace("\n12", "\n\n12"), "three lines"),
        (HEAD.text + "more\n" * 101, "more than 100 lines below its root"),
        (HEAD.text.replace("12", "012"), "not a number below 2.63"),
        (HEAD.text.replace("12", "+12"), "not a number"),
        (HEAD.text.replace("12", "-1"), "not a number"),
        (HEAD.text.replace("12", "1 2"), "not a number"),
        (HEAD.text.replace("12", "１２"), "not a number"),
        (HEAD.text.replace("12", str(2**63)), "not a number"),
        (HEAD.text.replace("12", "9" * 5000), "not a number"),
        (HEAD.text.replace("12", "0"), "of an empty log, but its root is not"),
        (HEAD.text.replace("=", ""), "root is not base64"),
        (HEAD.text.replace("h8=", "h9="), "root is not base64"),
        (f"{ORIGIN}\n12\nAAEC\n", "root does not have 32 bytes"),
    ],
)
def test_a_head_that_is_spelt_otherwise_is_refused(text: str, why: str) -> None:
    with pytest.raises(BadInput, match=why):
        checkpoint.read(spelt(text), [KEY])


def test_the_largest_log_and_lines_of_others_are_read() -> None:
    largest = replace(HEAD, size=2**63 - 1)
    assert checkpoint.read(spelt(largest.text + "more\n" * 100), [KEY]) == largest


def test_a_witness_can_be_required() -> None:
    data = witnessed((WITNESS, NOON))
    accepted = Accepted(HEAD, (KEY,), (Witnessed(W1, NOON),))
    assert checkpoint.accept(data, [KEY], [W1, W2], required=1) == accepted
    assert checkpoint.read(data, [KEY], [W2]) == HEAD
    with pytest.raises(BadInput, match="1 of the given witnesses signed the head, and 2 must"):
        checkpoint.read(data, [KEY], [W1, W2], required=2)
    with pytest.raises(BadInput, match="0 of the given witnesses signed the head, and 1 must"):
        checkpoint.read(SIGNED, [KEY], [W1], required=1)


def test_two_witnesses_are_two() -> None:
    data = witnessed((WITNESS, NOON), (W2.name, NOON + 5))
    accepted = checkpoint.accept(data, [KEY], [W1, W2], required=2)
    assert accepted.witnessed_by == (Witnessed(W1, NOON), Witnessed(W2, NOON + 5))


def test_a_witness_counts_once_however_often_it_signs() -> None:
    again = witnessed((WITNESS, NOON), (WITNESS, NOON + 1))
    assert len(checkpoint.accept(again, [KEY], [W1]).witnessed_by) == 2
    with pytest.raises(BadInput, match="1 of the given witnesses"):
        checkpoint.read(again, [KEY], [W1], required=2)
    alias = WitnessKey.of("alias.example", FIRST_WITNESS.public_key)
    named = cosignature.add(note.parse(again), alias.name, FIRST_WITNESS, NOON).to_bytes()
    with pytest.raises(BadInput, match="1 of the given witnesses"):
        checkpoint.read(named, [KEY], [W1, alias], required=2)


def test_the_log_is_no_witness_of_itself() -> None:
    itself = WitnessKey.of(ORIGIN, LEDGER.public_key)
    data = cosignature.add(note.parse(SIGNED), ORIGIN, LEDGER, NOON).to_bytes()
    assert checkpoint.accept(data, [KEY], [itself]).witnessed_by == (Witnessed(itself, NOON),)
    with pytest.raises(BadInput, match="0 of the given witnesses"):
        checkpoint.read(data, [KEY], [itself], required=1)


def test_a_witness_alone_is_not_the_log() -> None:
    head = note.parse(witnessed((WITNESS, NOON)))
    with pytest.raises(BadInput, match="not signed by any of the keys given for that log"):
        checkpoint.read(Note(head.text, head.signatures[1:]).to_bytes(), [KEY], [W1], required=1)


def stamped(time: bytes, rest: bytes) -> bytes:
    head = note.parse(SIGNED)
    made = Signature(WITNESS, W1.key_hash, time + rest)
    return Note(head.text, (*head.signatures, made)).to_bytes()


def test_a_wrong_signature_of_a_witness_spoils_the_head() -> None:
    good = note.parse(witnessed((WITNESS, NOON))).signatures[1].signature
    time, rest = good[:8], good[8:]
    assert checkpoint.read(stamped(time, rest), [KEY], [W1], required=1) == HEAD
    late = (2**63).to_bytes(8, "big")
    message = f"cosignature/v1\ntime {2**63}\n{HEAD.text}".encode()
    # What the witness signs is not the text alone, or with another time, or with a time beyond all bounds.
    for wrong in (
        stamped(time[:-1] + b"\0", rest),
        stamped(time, rest[:-1]),
        stamped(time, FIRST_WITNESS.sign(HEAD.text.encode())),
        stamped(late, FIRST_WITNESS.sign(message)),
        stamped(b"", FIRST_WITNESS.sign(HEAD.text.encode())),
    ):
        with pytest.raises(BadInput, match=r"the signature of 'witness\.example/w1', key \S+, is wrong"):
            checkpoint.read(wrong, [KEY], [W1])
        assert checkpoint.read(wrong, [KEY]) == HEAD


@pytest.mark.parametrize("time", [-1, 2**63])
def test_a_witness_signs_at_a_time_that_can_be_written(time: int) -> None:
    with pytest.raises(BadInput, match="a witness signs at a time from 1970 on"):
        cosignature.add(note.parse(SIGNED), WITNESS, FIRST_WITNESS, time)


def test_the_keys_of_a_log_and_of_a_witness_are_not_confused() -> None:
    assert WitnessKey.parse(W1.vkey) == W1
    with pytest.raises(BadInput, match="not of type 0x04"):
        WitnessKey.parse(KEY.vkey)
    with pytest.raises(BadInput, match="not of type 0x01"):
        NoteKey.parse(W1.vkey)


def test_what_a_head_says_of_itself_can_be_read_before_it_is_believed() -> None:
    assert checkpoint.unverified(SIGNED) == (HEAD, note.parse(SIGNED))
