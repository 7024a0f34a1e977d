from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from mandate.engine.errors import BadInput
from mandate.engine.evidence import proof_file, proven
from mandate.engine.evidence.keys import SigningKey
from mandate.engine.evidence.log import checkpoint, cosignature
from mandate.engine.evidence.log.checkpoint import Checkpoint, Witnessed
from mandate.engine.evidence.log.note import NoteKey
from mandate.engine.evidence.proven import Statement, Trust, Verdict

from .entries import INDEX, SIZE, Log, sealed, statement
from .signers import FIRST_WITNESS, KEY, LEDGER, NEXT_KEY, NEXT_LEDGER, ORIGIN, W1, W2, WITNESS

PERSON = NEXT_LEDGER
LOG = Log()
HEAD = Checkpoint(ORIGIN, SIZE, LOG.roots[SIZE])
PLAIN = Trust(ledger=(LEDGER.public_key,))
KIND = "https://mandate.dev/attestations/decision/v1"
STATED = {
    "id": "019caa3d-c400-7000-8000-000000000004",
    "recordedAt": "2026-03-01T12:00:00.000Z",
    "outcome": "deny",
    "policy.revision": "v1.4.0",
    "policy.bundleSha256": "01" * 32,
    "opa.version": None,
    "ledger.origin": ORIGIN,
}
SAYS = Statement(KIND, (("models:/credit/3", {"sha256": "ab" * 32}),), STATED)
PROVEN = Verdict(INDEX, (), SAYS, LEDGER.keyid, HEAD, (KEY,), ())


def verdict(log: Log = LOG, trust: Trust = PLAIN, data: bytes | None = None) -> Verdict:
    return proven.check(proof_file.parse(data or log.file()), trust)


def test_an_entry_is_proven_by_the_ledgers_key() -> None:
    assert verdict() == PROVEN
    assert verdict(trust=Trust(named=(KEY,))) == PROVEN
    assert PROVEN.proven


def test_a_ledger_may_sign_its_entries_with_a_key_that_signs_no_heads() -> None:
    signer = SigningKey.of(generate_private_key(SECP256R1()))
    log = Log(sealed(statement(), signer))
    trust = Trust(ledger=(signer.public_key, LEDGER.public_key))
    assert verdict(log, trust) == replace(PROVEN, signed_by=signer.keyid, head=approval_head(log))


def test_nothing_is_proven_to_whoever_trusts_nobody_or_somebody_else() -> None:
    for trust in (Trust(), Trust(ledger=(NEXT_LEDGER.public_key,)), Trust(named=(NEXT_KEY,))):
        assert verdict(trust=trust) == Verdict(
            INDEX,
            (
                f"it is signed by an unknown key, {LEDGER.keyid}",
                "the head of 'bank.example/models' is not signed by any of the keys given for that log",
            ),
        )


def test_the_key_in_the_file_is_not_believed() -> None:
    forged = Log(sealed(statement(), NEXT_LEDGER))
    data = proof_file.make(forged.envelopes[INDEX], forged.proof(forged.head(NEXT_LEDGER)), NEXT_KEY)
    assert not verdict(data=data).proven
    assert verdict(data=data, trust=Trust(named=(NEXT_KEY,))).proven


def test_a_key_of_another_name_does_not_speak_for_this_ledger() -> None:
    other = NoteKey.of("bank.example/other", LEDGER.public_key)
    (fault,) = verdict(trust=Trust(named=(other,))).faults
    assert fault == "the head of 'bank.example/models' is not signed by any of the keys given for that log"


def test_a_persons_key_signs_entries_but_no_heads() -> None:
    approval = Log(sealed(statement(), PERSON))
    both = replace(PLAIN, people=(PERSON.public_key,))
    assert verdict(approval, both) == replace(PROVEN, signed_by=PERSON.keyid, head=approval_head(approval))
    assert verdict(approval).faults == (f"it is signed by an unknown key, {PERSON.keyid}",)
    data = proof_file.make(approval.envelopes[INDEX], approval.proof(approval.head(PERSON)), NEXT_KEY)
    (fault,) = verdict(data=data, trust=both).faults
    assert fault == "the head of 'bank.example/models' is not signed by any of the keys given for that log"


def approval_head(log: Log) -> Checkpoint:
    return replace(HEAD, root=log.roots[SIZE])


def test_a_witness_can_be_required() -> None:
    one = Trust(ledger=PLAIN.ledger, witnesses=(W1, W2), required=1)
    assert verdict(trust=one) == replace(
        PROVEN,
        faults=("0 of the given witnesses signed the head, and 1 must",),
        head=None,
        head_signed_by=(),
    )
    data = LOG.file(cosignature.add(LOG.head(), WITNESS, FIRST_WITNESS, 1772366400))
    assert verdict(trust=one, data=data) == replace(PROVEN, witnessed_by=(Witnessed(W1, 1772366400),))
    assert not verdict(trust=replace(one, required=2), data=data).proven


def test_another_entry_in_its_place_is_not_proven() -> None:
    data = proof_file.make(LOG.envelopes[INDEX - 1], LOG.proof(), KEY)
    assert verdict(data=data).faults == ("the inclusion proof does not lead from this entry to the head",)


def test_an_entry_of_another_ledger_is_out_of_place() -> None:
    moved = Log(sealed(statement(ledger={"origin": "bank.example/\x1b[31m"})))
    assert verdict(moved).faults == ("the statement was made for another ledger, 'bank.example/\\x1b[31m'",)


def test_a_statement_that_names_no_ledger_can_be_proven() -> None:
    assert verdict(Log(sealed(statement(ledger=None)))).proven


def test_everything_that_is_wrong_is_named() -> None:
    log = Log(sealed({"_type": "other"}))
    head = checkpoint.signed(HEAD, NEXT_LEDGER)
    data = proof_file.make(log.envelopes[INDEX], replace(log.proof(), checkpoint=head), KEY)
    assert verdict(data=data).faults == (
        "the head of 'bank.example/models' is not signed by any of the keys given for that log",
        "the inclusion proof does not lead from this entry to the head",
        "what is signed is not an in-toto Statement about a subject",
    )


def without(name: str) -> dict[str, Any]:
    document = statement()
    del document[name]
    return document


@pytest.mark.parametrize(
    "document",
    [
        [],
        without("_type"),
        without("predicateType"),
        without("subject"),
        without("predicate"),
        {**statement(), "subject": []},
        {**statement(), "subject": {}},
        {**statement(), "predicate": []},
    ],
)
def test_what_is_no_statement_is_refused(document: Any) -> None:
    (fault,) = verdict(Log(sealed(document))).faults
    assert fault == "what is signed is not an in-toto Statement about a subject"


@pytest.mark.parametrize(
    "subject",
    ["x", {"name": "x"}, {"digest": {}}, {"name": 1, "digest": {}}, {"name": "x", "digest": {"sha256": 1}}],
)
def test_a_subject_has_a_name_and_digests(subject: Any) -> None:
    (fault,) = verdict(Log(sealed({**statement(), "subject": [subject]}))).faults
    assert fault == "a subject of what is signed does not have a name and digests"


def test_what_is_signed_is_json() -> None:
    with pytest.raises(BadInput, match="what is signed is not JSON: Expecting value"):
        proven.read(b"")


def test_only_what_is_one_value_is_shown() -> None:
    payload = (
        b'{"_type": "https://in-toto.io/Statement/v1", "predicateType": "k", '
        b'"subject": [{"name": "n", "digest": {}}], "predicate": {"text": "t", "whole": 1, "half": 0.5, '
        b'"yes": true, "huge": 123456789012345678901234567890, "nan": NaN, "far": 1e999, "list": [1], '
        b'"flat": {"a": 1, "b": null}, "deep": {"a": {}}, "empty": {}}}'
    )
    assert proven.read(payload) == Statement(
        "k",
        (("n", {}),),
        {
            "text": "t",
            "whole": 1,
            "half": 0.5,
            "yes": True,
            "huge": 123456789012345678901234567890,
            "flat.a": 1,
            "flat.b": None,
        },
    )
