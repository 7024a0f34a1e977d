from __future__ import annotations

import dataclasses
import hashlib
import json
from typing import Any

import pytest

from mandate.engine.decision import Judgement
from mandate.engine.digests import canonical
from mandate.engine.evidence import checks, envelope, keys
from mandate.engine.evidence.columns import Mention
from mandate.engine.evidence.keys import SigningKey
from mandate.engine.evidence.ledger import Stored
from mandate.engine.evidence.public_keys import keyring
from mandate.engine.evidence.recorder import Recorder
from mandate.engine.evidence.sql.ledger import SqlLedger
from mandate.engine.input.document import Input

from .conftest import ORIGIN


@pytest.fixture
def stored(recorder: Recorder, ledger: SqlLedger, document: Input, judgement: Judgement) -> Stored:
    """A right entry."""
    recorder.record(document, judgement)
    stored = ledger.at(0)
    assert stored is not None
    return stored


def faults(stored: Stored, signer: SigningKey, origin: str = ORIGIN) -> list[str]:
    return list(checks.faults(stored, origin, keyring(signer.public_key)))


def resealed(stored: Stored, signer: SigningKey, change: Any) -> Stored:
    """The entry with another statement, signed by the ledger's own key: as a faulty writer would leave it."""
    assert stored.envelope is not None
    statement = json.loads(envelope.parse(stored.envelope).payload)
    change(statement)
    data = envelope.seal(canonical(statement), signer).to_bytes()
    return dataclasses.replace(stored, envelope=data, leaf=hashlib.sha256(data).digest())


def test_right_entry_has_no_fault(stored: Stored, signer: SigningKey) -> None:
    assert faults(stored, signer) == []


def test_other_leaf_is_found(stored: Stored, signer: SigningKey) -> None:
    assert faults(dataclasses.replace(stored, leaf=bytes(32)), signer) == [
        "its envelope does not have the digest that is stored as its leaf"
    ]


def test_lost_envelope_is_found(stored: Stored, signer: SigningKey) -> None:
    assert faults(dataclasses.replace(stored, envelope=None), signer) == ["its envelope is gone"]


def test_garbage_is_found(stored: Stored, signer: SigningKey) -> None:
    assert faults(
        dataclasses.replace(stored, envelope=b"\x00", leaf=hashlib.sha256(b"\x00").digest()), signer
    ) == ["the envelope is not JSON: Expecting value at line 1, column 1"]


def test_unknown_key_is_named(stored: Stored, signer: SigningKey) -> None:
    assert list(checks.faults(stored, ORIGIN, {})) == [f"it is signed by an unknown key, {signer.keyid}"]


def test_every_fault_is_found_and_not_the_first_only(stored: Stored, signer: SigningKey) -> None:
    assert stored.envelope is not None
    sealed = envelope.parse(stored.envelope)
    other = dataclasses.replace(sealed, payload=sealed.payload.replace(b'"allow"', b'"undecided"'))
    spoiled = dataclasses.replace(stored, envelope=other.to_bytes(), id="x")
    assert faults(spoiled, signer) == [
        "its envelope does not have the digest that is stored as its leaf",
        f"the signature by {signer.keyid} is wrong",
        "the statement has another shape: 'predicate.decision': Value error, undecided without a reason",
    ]


@pytest.mark.parametrize(
    ("column", "value", "fault"),
    [
        ("id", "x\x1b", r"its column id says 'x\x1b', but signed is '019c"),
        (
            "kind",
            "waiver",
            "its column kind says 'waiver', but signed is 'https://mandate.dev/attestations/decision/v1'",
        ),
        (
            "recorded_at",
            "2026-03-01T12:00:00Z",
            "its column recorded_at says '2026-03-01T12:00:00Z', but signed is",
        ),
    ],
)
def test_column_that_says_something_else_is_found(
    stored: Stored, signer: SigningKey, column: str, value: Any, fault: str
) -> None:
    (found,) = faults(dataclasses.replace(stored, **{column: value}), signer)
    assert found.startswith(fault)


@pytest.mark.parametrize(
    ("column", "value", "says"),
    [
        ("subject", "models:/x/1", "'models:/x/1', but signed is 'models:/credit/3'"),
        ("model", None, r"""None, but signed is 'credit "\xe9" \u202e\n'"""),
        ("version", "4", "'4', but signed is '3'"),
        ("sha256", "00", f"'00', but signed is '{'ab' * 32}'"),
        ("outcome", None, "None, but signed is 'allow'"),
        ("action", "deploy", "'deploy', but signed is 'promote'"),
        ("environment", "staging", "'staging', but signed is 'production'"),
        ("revision", "x", "'x', but signed is 'sha256:0123'"),
        ("request_key", "x", "'x', but signed is None"),
        (
            "mentions",
            (Mention("person", "x\x1b"),),
            r"'person x\x1b', but signed is 'person ci, rule performance.minimum'",
        ),
    ],
)
def test_column_to_look_up_by_that_says_something_else_is_found(
    stored: Stored, signer: SigningKey, column: str, value: Any, says: str
) -> None:
    changed = dataclasses.replace(stored.columns, **{column: value})
    found = faults(dataclasses.replace(stored, columns=changed), signer)
    assert found == [f"its column {column} says {says}"]


def test_entry_of_another_ledger_is_found(stored: Stored, signer: SigningKey) -> None:
    assert faults(stored, signer, origin="other.example") == [f"it was made for another ledger, '{ORIGIN}'"]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (
            lambda s: s["predicate"].update(inputSha256="00" * 32),
            "the input does not have the digest that is stated",
        ),
        (lambda s: s["predicate"].update(decisionSha256="00" * 32), "the decision does not have the digest"),
        (
            lambda s: s["subject"][0].update(name="models:/x/1"),
            "the statement's subject is not the predicate's",
        ),
        (lambda s: s["subject"].append(s["subject"][0]), "the statement's subject is not the predicate's"),
        (lambda s: s["subject"].clear(), "the statement has another shape: 'subject': Tuple"),
        (
            lambda s: s.update(predicateType="https://slsa.dev/provenance/v1"),
            "its predicate type is unknown, 'https://slsa.dev/provenance/v1'",
        ),
        (lambda s: s.update(_type="https://in-toto.io/Statement/v0.1"), "the statement has another shape"),
        (lambda s: s.pop("predicate"), "the statement has another shape: 'predicate': Field required"),
        (lambda s: s["predicate"].update(id="1"), "the statement has another shape: 'predicate.id'"),
        (
            lambda s: s["predicate"]["input"].update(model=1),
            "the statement has another shape: 'predicate.input.model",
        ),
    ],
)
def test_wrong_statement_is_found_though_it_is_signed(
    stored: Stored, signer: SigningKey, change: Any, fault: str
) -> None:
    (found,) = faults(resealed(stored, signer, change), signer)
    assert found.startswith(fault)


def test_entry_that_another_key_signed_anew_is_found(
    stored: Stored, signer: SigningKey, tmp_path: Any
) -> None:
    thief = keys.create(tmp_path / "thief.pem")
    forged = resealed(stored, thief, lambda s: None)
    assert faults(forged, signer) == [f"it is signed by an unknown key, {thief.keyid}"]
