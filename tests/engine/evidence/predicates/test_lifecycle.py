"""What is stated of what happened to models, policies and the ledger, and what it is found by."""

from __future__ import annotations

import json
from typing import Any

import pytest
from google.protobuf import json_format
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from mandate import __version__
from mandate.engine.digests import document_sha256, sha256
from mandate.engine.evidence import predicates, schema, statement
from mandate.engine.evidence.columns import Columns, Kind, mentions
from mandate.engine.evidence.predicates.base import AUTHORITY, Predicate

ID = "019ab403-bc93-78b1-aa20-1baa093062d3"
DECISION = "019ab403-bc93-78b1-aa20-1baa093062d4"
INTENT = "019ab403-bc93-78b1-aa20-1baa093062d5"
COMMON = {
    "id": ID,
    "recordedAt": "2026-03-01T12:00:00.123Z",
    "mandate": {"version": __version__},
    "ledger": {"origin": "bank.example/models"},
}
SECOND: dict[str, Any] = {"version": "2", "sha256": "22" * 32}
THIRD: dict[str, Any] = {"version": "3", "sha256": "33" * 32}
ACT: dict[str, Any] = {
    **COMMON,
    "phase": "intent",
    "registry": "https://mlflow.bank.example",
    "model": "credit",
    "version": THIRD,
    "moves": [{"alias": "champion", "fromVersion": SECOND, "toVersion": THIRD}],
    "environment": "production",
    "decision": DECISION,
    "by": "ann",
    "reason": "drift",
    "after": None,
    "intent": None,
    "outcome": None,
    "observed": False,
    "error": None,
}
RESULT = ACT | {"phase": "result", "intent": INTENT, "outcome": "done"}
MOVED = {
    **COMMON,
    "basis": "observed",
    "registry": "https://mlflow.bank.example",
    "model": "credit",
    "move": ACT["moves"][0],
    "movedBy": None,
    "decision": None,
    "by": "ann",
    "reason": "moved by hand during the outage",
}
RELEASED = {
    **COMMON,
    "revision": "sha256:0123",
    "bundleSha256": "01" * 32,
    "release": {"number": 7, "keyid": "SHA256:abc"},
    "by": "ci",
}
EXPORTED = {
    **COMMON,
    "destination": "s3://evidence/2026",
    "size": 1000,
    "root": "ab" * 32,
    "manifestSha256": "cd" * 32,
    "by": "ci",
}
NEWEST = [
    ("promotion/v1", ACT),
    ("promotion/v1", RESULT),
    ("rollback/v1", RESULT | {"outcome": "failed", "error": "the registry said no", "moves": []}),
    ("retirement/v1", RESULT | {"outcome": "abandoned", "observed": True, "moves": []}),
    ("alias-move/v1", MOVED),
    ("policy-release/v1", RELEASED),
    ("export/v1", EXPORTED),
]


def read(name: str, said: dict[str, Any]) -> Predicate:
    """The predicate as it is read from JSON."""
    kind = predicates.known(AUTHORITY + name)
    assert kind is not None
    return kind.model_validate_json(json.dumps(said))


@pytest.mark.parametrize(("name", "said"), NEWEST)
def test_what_is_stated_is_what_was_said_and_every_reader_takes_it(name: str, said: dict[str, Any]) -> None:
    predicate = read(name, said)
    payload = statement.payload(statement.state(predicate))
    stated = json.loads(payload)
    assert (stated["predicateType"], stated["predicate"]) == (AUTHORITY + name, said)
    Draft202012Validator(schema.json_schema(AUTHORITY + name)).validate(said)
    Statement.copy_from_pb(json_format.Parse(payload, statement_pb2.Statement())).validate()
    assert statement.read(payload).predicate == predicate
    assert list(statement.contradictions(statement.read(payload), stated)) == []


def test_an_intent_is_found_by_its_version_and_comes_after_one_other() -> None:
    assert read("promotion/v1", ACT | {"after": INTENT}).columns() == Columns(
        subject="models:/credit/3",
        model="credit",
        version="3",
        sha256="33" * 32,
        outcome="intent",
        action="promote",
        environment="production",
        request_key=f"act:{document_sha256(['https://mlflow.bank.example', 'credit', INTENT])}",
        mentions=mentions((Kind.PERSON, "ann"), (Kind.SUBJECT, "models:/credit/2")),
    )


@pytest.mark.parametrize(
    ("name", "action"),
    [("promotion/v1", "promote"), ("rollback/v1", "rollback"), ("retirement/v1", "retire")],
)
def test_an_intent_has_one_result(name: str, action: str) -> None:
    columns = read(name, RESULT).columns()
    assert (columns.outcome, columns.action, columns.request_key) == ("done", action, f"result:{INTENT}")


def test_a_version_without_a_digest_is_stated_by_its_name() -> None:
    (subject,) = read("retirement/v1", ACT | {"version": {"version": "3", "sha256": None}}).subjects()
    assert subject.model_dump() == {
        "name": "models:/credit/3#name",
        "digest": {"sha256": sha256(b"models:/credit/3")},
    }


@pytest.mark.parametrize(
    "changed",
    [
        ACT | {"outcome": "done"},
        ACT | {"intent": INTENT},
        ACT | {"observed": True},
        ACT | {"error": "no"},
        RESULT | {"outcome": None},
        RESULT | {"intent": None},
        RESULT | {"after": INTENT},
        RESULT | {"outcome": "failed"},
        RESULT | {"error": "no"},
    ],
)
def test_an_act_cannot_contradict_its_phase(changed: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        read("promotion/v1", changed)


@pytest.mark.parametrize(
    ("move", "subject", "others"),
    [
        ({"fromVersion": SECOND, "toVersion": THIRD}, "models:/credit/3", ["models:/credit/2"]),
        ({"fromVersion": SECOND, "toVersion": None}, "models:/credit/2", []),
        ({"fromVersion": None, "toVersion": THIRD}, "models:/credit/3", []),
    ],
)
def test_an_alias_move_is_about_where_the_alias_is_now(
    move: dict[str, Any], subject: str, others: list[str]
) -> None:
    columns = read(
        "alias-move/v1", MOVED | {"move": {"alias": "champion"} | move, "movedBy": "eve"}
    ).columns()
    assert (columns.subject, columns.outcome, columns.action) == (subject, "observed", "alias-move")
    named = [(Kind.PERSON, "ann"), (Kind.PERSON, "eve"), *((Kind.SUBJECT, other) for other in others)]
    assert columns.mentions == mentions(*named)


def test_an_alias_that_did_not_move_is_no_move() -> None:
    with pytest.raises(ValidationError, match="nothing moved"):
        read("alias-move/v1", MOVED | {"move": {"alias": "a", "fromVersion": THIRD, "toVersion": THIRD}})


def test_a_revision_is_released_once_and_again_under_each_signature() -> None:
    keys = [read("policy-release/v1", RELEASED | {"release": each}) for each in (None, RELEASED["release"])]
    assert [each.columns().request_key for each in keys] == [
        "policy-release:sha256:0123",
        "policy-release:sha256:0123:7:SHA256:abc",
    ]
    assert keys[0].columns().revision == "sha256:0123"


def test_an_export_is_stated_of_the_ledger_as_it_was() -> None:
    exported = read("export/v1", EXPORTED)
    (subject,) = exported.subjects()
    assert subject.model_dump() == {"name": "bank.example/models", "digest": {"sha256": "ab" * 32}}
    assert exported.columns() == Columns(
        subject="bank.example/models", mentions=mentions((Kind.PERSON, "ci"))
    )
