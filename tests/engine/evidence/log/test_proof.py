from __future__ import annotations

from dataclasses import replace

import pytest

from mandate.engine.errors import BadInput
from mandate.engine.evidence.log import checkpoint, cosignature, merkle, note, proof
from mandate.engine.evidence.log.checkpoint import Accepted, Checkpoint, Witnessed
from mandate.engine.evidence.log.proof import Proof

from .signers import FIRST_WITNESS, KEY, LEDGER, NEXT_KEY, ORIGIN, W1, WITNESS
from .trees import Tree, entry

TREE = Tree(7)
HEAD = Checkpoint(ORIGIN, 7, TREE.roots[7])
SIGNED = checkpoint.signed(HEAD, LEDGER)
PROOF = Proof(2, merkle.inclusion(2, 7, TREE.read), SIGNED)
DATA = PROOF.to_bytes()


def test_what_is_written_is_read_back_and_accepted() -> None:
    assert proof.parse(DATA) == PROOF
    assert proof.verify(PROOF, entry(2), [KEY]) == Accepted(HEAD, (KEY,), ())


def test_extra_data_is_passed_over() -> None:
    for extra in (b"extra \n", b"extra ZXh0cmE=\n"):
        assert proof.parse(DATA.replace(b"index", extra + b"index")) == PROOF


def test_a_log_of_one_entry_needs_no_hashes() -> None:
    head = Checkpoint(ORIGIN, 1, TREE.roots[1])
    alone = Proof(0, (), checkpoint.signed(head, LEDGER))
    assert proof.parse(alone.to_bytes()) == alone
    assert proof.verify(alone, entry(0), [KEY]) == Accepted(head, (KEY,), ())


@pytest.mark.parametrize(
    ("wrong", "data"),
    [
        (PROOF, entry(3)),
        (replace(PROOF, index=3), entry(2)),
        (replace(PROOF, index=7), entry(2)),
        (replace(PROOF, hashes=PROOF.hashes[:-1]), entry(2)),
        (replace(PROOF, hashes=(*PROOF.hashes, bytes(32))), entry(2)),
        (replace(PROOF, checkpoint=checkpoint.signed(replace(HEAD, size=9), LEDGER)), entry(2)),
    ],
)
def test_a_proof_of_something_else_is_refused(wrong: Proof, data: bytes) -> None:
    with pytest.raises(BadInput, match="the proof does not lead from the entry"):
        proof.verify(wrong, data, [KEY])


def test_the_head_of_the_proof_must_be_signed() -> None:
    with pytest.raises(BadInput, match="is not signed by any of the keys"):
        proof.verify(PROOF, entry(2), [NEXT_KEY])


def test_witnesses_of_the_proof_can_be_required() -> None:
    with pytest.raises(BadInput, match="0 of the given witnesses"):
        proof.verify(PROOF, entry(2), [KEY], [W1], required=1)
    head = cosignature.add(note.parse(SIGNED), WITNESS, FIRST_WITNESS, 1).to_bytes()
    accepted = proof.verify(replace(PROOF, checkpoint=head), entry(2), [KEY], [W1], required=1)
    assert accepted == Accepted(HEAD, (KEY,), (Witnessed(W1, 1),))


HASH = DATA.split(b"\n")[2]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "no empty line above its head"),
        (DATA.partition(b"\n\n")[0], "no empty line above its head"),
        (DATA.replace(b"@v1", b"@v2"), "is not a c2sp"),
        (b"\n" + DATA, "is not a c2sp"),
        (DATA.replace(b"\n", b"\r\n"), "no empty line above its head"),
        (DATA.replace(b"index 2\n", b""), "does not say the entry's index"),
        (b"c2sp.org/tlog-proof@v1\n\n" + SIGNED, "does not say the entry's index"),
        (b"c2sp.org/tlog-proof@v1\nextra \n\n" + SIGNED, "does not say the entry's index"),
        (DATA.replace(b"index", b"extra \nextra \nindex"), "does not say the entry's index"),
        (DATA.replace(b"index", b"extra ?\nindex"), "extra data that is not base64"),
        (DATA.replace(b"index 2", b"index 02"), "the proof's index is not a number"),
        (DATA.replace(b"index 2", b"index -1"), "the proof's index is not a number"),
        (DATA.replace(b"index 2", b"index %d" % 2**63), "the proof's index is not a number"),
        (DATA.replace(HASH, HASH[:-1]), "a hash that is not base64"),
        (DATA.replace(HASH, HASH[4:]), "does not have 32 bytes"),
        (DATA.replace(HASH, "é".encode()), "not ASCII"),
        (DATA.replace(HASH, b"\n".join([HASH] * 64)), "more than 63 hashes"),
        (DATA.replace(SIGNED, b""), "has no signature"),
        (DATA.replace(SIGNED, b"\n" + SIGNED), "three lines"),
        (DATA[:-1], "ends in the middle of a line"),
        (b"x" * proof.MAX_BYTES + DATA, "longer than 196608 bytes"),
    ],
)
def test_what_is_no_proof_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(BadInput, match=why):
        proof.parse(data)
