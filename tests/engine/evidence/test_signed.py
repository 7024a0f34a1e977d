from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import pytest

from mandate import __version__
from mandate.engine.decision import Judgement
from mandate.engine.digests import canonical, sha256
from mandate.engine.errors import NotRecorded
from mandate.engine.evidence import envelope as dsse
from mandate.engine.evidence import signed
from mandate.engine.evidence.keys import SigningKey
from mandate.engine.evidence.ledger import Stored
from mandate.engine.evidence.public_keys import keyring
from mandate.engine.evidence.receipt import Receipt
from mandate.engine.evidence.signed import Signed
from mandate.engine.evidence.sql.ledger import SqlLedger
from mandate.engine.input.document import Input


@pytest.fixture
def stored(record: Callable[[], Receipt], ledger: SqlLedger) -> Stored:
    record()
    found = ledger.at(0)
    assert found is not None
    return found


def with_payload(stored: Stored, signer: SigningKey, change: Callable[[dict[str, Any]], Any]) -> Stored:
    """The entry with another payload, signed."""
    assert stored.envelope is not None
    statement = json.loads(dsse.parse(stored.envelope).payload)
    changed = change(statement)
    payload = changed if isinstance(changed, bytes) else canonical(statement if changed is None else changed)
    envelope = dsse.seal(payload, signer).to_bytes()
    return dataclasses.replace(stored, envelope=envelope, leaf=bytes.fromhex(sha256(envelope)))


def test_a_decision_reads_back_as_the_json_that_was_signed(
    stored: Stored, ledger: SqlLedger, signer: SigningKey, document: Input, judgement: Judgement
) -> None:
    decision, asked = judgement.decision.model_dump(mode="json"), document.model_dump(mode="json")
    assert signed.read(stored, ledger, keyring(signer.public_key)) == Signed(
        index=0,
        id=stored.id,
        recorded_at=stored.recorded_at,
        outcome="allow",
        decision=decision,
        decision_sha256=sha256(canonical(decision)),
        document=asked,
        question=canonical(asked),
        revision=judgement.policy.revision,
        bundle_sha256=judgement.policy.bundle_sha256,
        opa_version="1.22.2",
        mandate_version=__version__,
    )


def test_an_entry_of_another_kind_is_no_decision(
    stored: Stored, ledger: SqlLedger, signer: SigningKey
) -> None:
    other = with_payload(stored, signer, lambda statement: statement.update(predicateType="of/another"))
    other = dataclasses.replace(other, kind="of/another")
    assert signed.read(other, ledger, keyring(signer.public_key)) is None


def _predicate(**members: Any) -> Callable[[dict[str, Any]], None]:
    return lambda statement: statement["predicate"].update(members)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda _: [], "the statement has another shape than a decision's"),
        (lambda _: b"{", "the statement has another shape than a decision's"),
        (_predicate(id=7), "its columns do not say what is signed"),
        (_predicate(outcome="deny"), "its columns do not say what is signed"),
        (_predicate(ledger={"origin": "other.example"}), "it was made for another ledger"),
        (_predicate(decision={"outcome": "deny"}), "the outcome is not the decision's"),
        (_predicate(decision={"outcome": "allow"}), "the decision does not have the digest that is stated"),
        (_predicate(input={}), "the statement has another shape than a decision's"),
        (
            _predicate(input={"subject": {"uri": "models:/credit/3"}}),
            "the input does not have the digest that is stated",
        ),
        (
            lambda statement: canonical(statement).replace(b'"input":{', b'"input": {'),
            "the statement is not an object in canonical JSON",
        ),
    ],
)
def test_what_contradicts_itself_is_not_read(
    stored: Stored, ledger: SqlLedger, signer: SigningKey, change: Any, what: str
) -> None:
    with pytest.raises(NotRecorded) as error:
        signed.read(with_payload(stored, signer, change), ledger, keyring(signer.public_key))
    assert error.value.what == f"the entry is not what was recorded: {what}"
    assert error.value.where == f"{ledger.location}, entry 0"


def test_members_in_between_of_a_later_version_do_not_matter(
    stored: Stored, ledger: SqlLedger, signer: SigningKey
) -> None:
    later = with_payload(stored, signer, _predicate(identity={"a": 1}, decisions=["b"]))
    keys = keyring(signer.public_key)
    assert signed.read(later, ledger, keys) == signed.read(stored, ledger, keys)


def test_a_decision_by_an_unknown_key_is_not_read(stored: Stored, ledger: SqlLedger) -> None:
    with pytest.raises(NotRecorded, match="signed by an unknown key"):
        signed.read(stored, ledger, {})
