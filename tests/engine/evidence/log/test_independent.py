"""What Mandate writes, judged by a program that has none of its code (`tests/verifiers/go`)."""

from __future__ import annotations

import base64
import hashlib
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from mandate.engine.errors import BadInput
from mandate.engine.evidence.log import checkpoint, cosignature, merkle, note, proof
from mandate.engine.evidence.log.checkpoint import Checkpoint

from . import vectors
from .signers import FIRST_WITNESS, KEY, LEDGER, NEXT_KEY, ORIGIN, W1, W2, WITNESS
from .trees import Tree

SIZES = (0, 1, 2, 3, 7, 8, 64, 1000)
GROWTH = tuple((first, second) for second in SIZES for first in SIZES if first <= second)
NOON = 1772366400

Judge = Callable[..., "tuple[int, str]"]


@pytest.fixture
def judge(verify_log: Path, tmp_path: Path) -> Judge:
    """The exit code and the output of the program; arguments in bytes become files."""

    def judge(command: str, *arguments: str | bytes) -> tuple[int, str]:
        given = []
        for number, argument in enumerate(arguments):
            if isinstance(argument, bytes):
                (tmp_path / str(number)).write_bytes(argument)
            given.append(argument if isinstance(argument, str) else str(tmp_path / str(number)))
        ran = subprocess.run([str(verify_log), command, *given], capture_output=True, text=True, check=False)
        return ran.returncode, ran.stdout.strip()

    return judge


class Log(Tree):
    """A log of small envelopes."""

    def envelope(self, index: int) -> bytes:
        return b'{"entry":%d}' % index

    def entry(self, index: int) -> bytes:
        return hashlib.sha256(self.envelope(index)).digest()

    def head(self, size: int) -> bytes:
        return checkpoint.signed(Checkpoint(ORIGIN, size, self.roots[size]), LEDGER)

    def proof(self, index: int, size: int) -> proof.Proof:
        return proof.Proof(index, merkle.inclusion(index, size, self.read), self.head(size))

    def consistency(self, first: int, second: int) -> bytes:
        return lines(merkle.consistency(first, second, self.read))


@pytest.fixture(scope="module")
def log() -> Log:
    return Log(max(SIZES))


def lines(hashes: Sequence[bytes]) -> bytes:
    return b"".join(base64.b64encode(one) + b"\n" for one in hashes)


@pytest.mark.parametrize("size", SIZES)
def test_it_accepts_our_heads(judge: Judge, log: Log, size: int) -> None:
    assert judge("checkpoint", KEY.vkey, log.head(size)) == (0, f"{ORIGIN} {size} {log.roots[size].hex()}")


@pytest.mark.parametrize(
    ("index", "size"),
    [(index, size) for size in SIZES for index in sorted({0, size // 2, size - 1} - {-1}) if size],
)
def test_it_accepts_our_inclusion_proofs(judge: Judge, log: Log, index: int, size: int) -> None:
    made = log.proof(index, size)
    assert proof.verify(made, log.entry(index), [KEY]).checkpoint.size == size
    accepted = (0, f"entry {index} of {size}")
    assert judge("inclusion", KEY.vkey, log.envelope(index), made.to_bytes()) == accepted


@pytest.mark.parametrize(("first", "second"), GROWTH)
def test_it_accepts_our_consistency_proofs(judge: Judge, log: Log, first: int, second: int) -> None:
    heads = log.head(first), log.head(second)
    accepted = (0, f"{first} grew to {second}")
    assert judge("consistency", KEY.vkey, *heads, log.consistency(first, second)) == accepted


def test_it_accepts_our_cosignatures(judge: Judge, log: Log) -> None:
    head = cosignature.add(note.parse(log.head(7)), WITNESS, FIRST_WITNESS, NOON).to_bytes()
    assert judge("cosignature", KEY.vkey, W1.vkey, head) == (0, str(NOON))
    assert judge("checkpoint", KEY.vkey, head)[0] == 0
    assert judge("cosignature", KEY.vkey, W2.vkey, head)[0] == 1


def test_both_refuse_what_another_key_signed(judge: Judge, log: Log) -> None:
    assert judge("checkpoint", NEXT_KEY.vkey, log.head(7))[0] == 1
    with pytest.raises(BadInput):
        checkpoint.read(log.head(7), [NEXT_KEY])


def test_both_refuse_an_entry_in_the_wrong_place(judge: Judge, log: Log) -> None:
    for index in (3, 5, 7):
        wrong = replace(log.proof(4, 7), index=index)
        assert judge("inclusion", KEY.vkey, log.envelope(4), wrong.to_bytes())[0] == 1
        with pytest.raises(BadInput):
            proof.verify(wrong, log.entry(4), [KEY])


def test_both_refuse_a_proof_with_a_changed_bit(judge: Judge, log: Log) -> None:
    made = log.proof(4, 7)
    for number, one in enumerate(made.hashes):
        turned = bytes([one[0] ^ 1]) + one[1:]
        wrong = replace(made, hashes=(*made.hashes[:number], turned, *made.hashes[number + 1 :]))
        assert judge("inclusion", KEY.vkey, log.envelope(4), wrong.to_bytes())[0] == 1
        with pytest.raises(BadInput):
            proof.verify(wrong, log.entry(4), [KEY])


@pytest.mark.parametrize(
    ("first", "second"), [(first, second) for first, second in GROWTH if 0 < first < second]
)
def test_both_refuse_a_log_that_was_rewritten(judge: Judge, log: Log, first: int, second: int) -> None:
    forked = Checkpoint(ORIGIN, first, hashlib.sha256(log.roots[first]).digest())
    heads = checkpoint.signed(forked, LEDGER), log.head(second)
    assert judge("consistency", KEY.vkey, *heads, log.consistency(first, second))[0] == 1
    hashes = merkle.consistency(first, second, log.read)
    assert not merkle.verify_consistency(first, forked.root, second, log.roots[second], hashes)


def test_it_judges_the_vectors_as_we_do(judge: Judge) -> None:
    vkey = vectors.KEY.vkey
    for index in vectors.WITH_ENVELOPE:
        files = vectors.read(f"env{index}"), vectors.read(f"env{index}.tlog-proof")
        assert judge("inclusion", vkey, *files) == (0, f"entry {index} of 1000")
    growth = vectors.read("cons700_1000")
    assert judge("consistency", vkey, vectors.read("cp700"), vectors.read("cp1000"), growth)[0] == 0
    for old, new in (("cp700", "cp1000fork"), ("cp700fork", "cp1000"), ("cp700fork", "cp1000fork")):
        assert judge("consistency", vkey, vectors.read(old), vectors.read(new), growth)[0] == 1
    assert judge("checkpoint", vectors.OTHER.vkey, vectors.read("cp1000"))[0] == 1
