"""What is shown to somebody who is about to sign, by a log that proves itself and nothing else."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mandate.engine.digests import canonical
from mandate.engine.errors import BadInput
from mandate.engine.evidence import envelope as dsse
from mandate.engine.evidence import keys, presented, proof_file
from mandate.engine.evidence.log import checkpoint, merkle
from mandate.engine.evidence.log.checkpoint import Checkpoint
from mandate.engine.evidence.log.note import NoteKey
from mandate.engine.evidence.log.proof import Proof
from tests.organisation import FIRST, GOOD, Organisation, founded
from tests.recording import Statement, statement

ORIGIN = "bank.example/models"


@pytest.fixture(scope="module")
def decided(tmp_path_factory: pytest.TempPathFactory) -> Organisation:
    organisation = founded(tmp_path_factory.mktemp("organisation"))
    assert organisation.check(GOOD).exit_code == 1
    return organisation


def logged(stated: Statement, folder: Path) -> tuple[bytes, keys.SigningKey]:
    """The proof of a statement that is the only entry of somebody's own log, and who that is."""
    signer = keys.create(folder / "own.pem")
    envelope = dsse.seal(canonical(stated), signer).to_bytes()
    root = merkle.leaf_hash(hashlib.sha256(envelope).digest())
    proof = Proof(0, (), checkpoint.signed(Checkpoint(ORIGIN, 1, root), signer))
    return proof_file.make(envelope, proof, NoteKey.of(ORIGIN, signer.public_key)), signer


LIES: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "another input": (
        lambda said: said["predicate"].update(inputSha256="0" * 64),
        "the input does not have the digest that is stated",
    ),
    "another subject": (
        lambda said: said["subject"][0].update(name="models:/other/1"),
        "the statement's subject is not the predicate's",
    ),
    "another ledger": (
        lambda said: said["predicate"]["ledger"].update(origin="other.example"),
        "the entry was made for another ledger, 'other.example'",
    ),
    "another type": (lambda said: said.update(predicateType="x"), "its predicate type is unknown"),
}


@pytest.mark.parametrize("name", LIES)
def test_an_entry_that_contradicts_itself_is_not_shown_whoever_proves_it(
    decided: Organisation, tmp_path: Path, name: str
) -> None:
    edit, said = LIES[name]
    stated = statement(decided.folder, FIRST)
    edit(stated)
    proof, signer = logged(stated, tmp_path)
    for trusted in ((), (signer.public_key,)):
        with pytest.raises(BadInput, match=said):
            presented.read(proof, trusted)


def test_a_log_of_somebodys_own_is_vouched_for_by_nobody_whom_one_trusts(
    decided: Organisation, tmp_path: Path
) -> None:
    proof, signer = logged(statement(decided.folder, FIRST), tmp_path)
    record = presented.read(proof, ()).record
    assert (record.receipt.index, record.receipt.origin, record.document.subject.uri) == (
        0,
        ORIGIN,
        "models:/credit/2",
    )
    assert presented.read(proof, ()).vouched == ()
    assert presented.read(proof, (signer.public_key,)).vouched == (signer.public_key.keyid,)
    other = keys.create(tmp_path / "other.pem").public_key
    with pytest.raises(BadInput, match="is not signed by any of the keys given"):
        presented.read(proof, (other,))
