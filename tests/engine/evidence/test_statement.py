from __future__ import annotations

import json
from datetime import timedelta, timezone
from typing import Any

import pytest
from google.protobuf import json_format
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement

from mandate import __version__
from mandate.engine.decision import Judgement
from mandate.engine.digests import canonical, document_sha256
from mandate.engine.errors import BadInput
from mandate.engine.evidence import statement
from mandate.engine.input.document import Input

from .conftest import ID, NOON, ORIGIN, stated


def signed(document: Input, judgement: Judgement) -> bytes:
    return statement.payload(stated(document, judgement))


@pytest.fixture
def without_digest(document: Input) -> Input:
    return document.model_copy(update={"subject": document.subject.model_copy(update={"sha256": None})})


def test_statement_says_everything_about_the_decision(document: Input, judgement: Judgement) -> None:
    as_json, decision = document.model_dump(mode="json"), judgement.decision.model_dump(mode="json")
    assert json.loads(signed(document, judgement)) == {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "models:/credit/3", "digest": {"sha256": "ab" * 32}}],
        "predicateType": "https://mandate.dev/attestations/decision/v1",
        "predicate": {
            "id": ID,
            "recordedAt": "2026-03-01T12:00:00.123Z",
            "outcome": "allow",
            "decision": decision,
            "decisionSha256": document_sha256(decision),
            "input": as_json,
            "inputSha256": document_sha256(as_json),
            "policy": {"revision": "sha256:0123", "bundleSha256": "01" * 32},
            "opa": {"version": "1.22.2"},
            "mandate": {"version": __version__},
            "ledger": {"origin": ORIGIN},
            "request": None,
        },
    }


def test_without_a_digest_the_subject_is_the_input(without_digest: Input, judgement: Judgement) -> None:
    digest = document_sha256(without_digest.model_dump(mode="json"))
    assert json.loads(signed(without_digest, judgement))["subject"] == [
        {"name": "models:/credit/3#input", "digest": {"sha256": digest}}
    ]


def test_payload_is_canonical(document: Input, judgement: Judgement) -> None:
    data = signed(document, judgement)
    assert canonical(json.loads(data)) == data


def test_time_of_another_zone_is_written_in_utc(document: Input, judgement: Judgement) -> None:
    elsewhere = NOON.astimezone(timezone(timedelta(hours=-9, minutes=-30)))
    data = statement.payload(stated(document, judgement, elsewhere))
    assert json.loads(data)["predicate"]["recordedAt"] == "2026-03-01T12:00:00.123Z"


@pytest.mark.parametrize("which", ["document", "without_digest"])
def test_in_toto_library_accepts_it(which: str, judgement: Judgement, request: pytest.FixtureRequest) -> None:
    data = signed(request.getfixturevalue(which), judgement)
    Statement.copy_from_pb(json_format.Parse(data, statement_pb2.Statement())).validate()


def test_statement_reads_back_as_the_values_that_were_stated(document: Input, judgement: Judgement) -> None:
    read = statement.read(signed(document, judgement)).predicate
    assert read == stated(document, judgement).predicate


def test_statement_agrees_with_itself(document: Input, without_digest: Input, judgement: Judgement) -> None:
    for each in (document, without_digest):
        data = signed(each, judgement)
        assert list(statement.contradictions(statement.read(data), statement.parse(data))) == []


@pytest.mark.parametrize(
    ("path", "value", "contradictions"),
    [
        (("predicate", "inputSha256"), "00" * 32, ["the input does not have the digest that is stated"]),
        (
            ("predicate", "decisionSha256"),
            "00" * 32,
            ["the decision does not have the digest that is stated"],
        ),
        (("predicate", "outcome"), "deny", ["the outcome is not the decision's"]),
        (("subject", 0, "name"), "models:/other/1", ["the statement's subject is not the predicate's"]),
        (("subject", 0, "digest", "sha256"), "00" * 32, ["the statement's subject is not the predicate's"]),
        (
            ("predicate", "input", "subject", "version"),
            "4",
            ["the input does not have the digest that is stated"],
        ),
        (
            ("predicate", "decision", "findings", 0, "n"),
            1,
            ["the decision does not have the digest that is stated"],
        ),
    ],
)
def test_contradiction_is_found(
    document: Input, judgement: Judgement, path: tuple[str | int, ...], value: Any, contradictions: list[str]
) -> None:
    changed = json.loads(signed(document, judgement))
    node = changed
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value
    data = canonical(changed)
    assert list(statement.contradictions(statement.read(data), statement.parse(data))) == contradictions


def test_digest_of_an_input_of_an_older_shape_is_that_of_what_was_signed(
    document: Input, judgement: Judgement
) -> None:
    """A later version's `Input` has more fields; the older document without them keeps its digest."""
    older = json.loads(signed(document, judgement))
    del older["predicate"]["input"]["waivers"]
    older["predicate"]["inputSha256"] = document_sha256(older["predicate"]["input"])
    data = canonical(older)
    assert list(statement.contradictions(statement.read(data), statement.parse(data))) == []


def test_other_shape_is_named_without_its_value(document: Input, judgement: Judgement) -> None:
    changed = json.loads(signed(document, judgement))
    changed["predicate"]["input"]["request"]["\x1b[2J"] = "a secret"
    with pytest.raises(BadInput) as error:
        statement.read(canonical(changed))
    assert error.value.what == (
        r"the statement has another shape: 'predicate.input.request.\x1b[2J': Extra inputs are not permitted"
    )


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data + b"\n",
        lambda data: data.replace(b":", b": ", 1),
        lambda data: data.replace(b'{"_type"', b'{"_type":1,"_type"', 1),
        lambda data: data.replace(b"0.95", b"0.950", 1),
        lambda data: data.replace(b"0.95", b"9.5e-1", 1),
        lambda data: data.replace(b"0.95", b"NaN", 1),
        lambda data: data.replace(b"credit", b"\\u0063redit", 1),
        lambda data: data.replace(b"2380", b"9" * 5000, 1),
        lambda data: data.replace(b"2380", b"9007199254740993", 1),
        lambda data: data[:-1],
        lambda data: b"[" * 200_000,
        lambda data: b"[]",
        lambda data: b"\xff",
        lambda data: b"",
    ],
)
def test_payload_that_is_not_canonical_is_refused(document: Input, judgement: Judgement, spoil: Any) -> None:
    data = signed(document, judgement)
    assert spoil(data) != data
    with pytest.raises(BadInput, match="canonical"):
        statement.read(spoil(data))


@given(data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_other_bytes_are_refused_or_another_statement(
    document: Input, judgement: Judgement, data: st.DataObject
) -> None:
    """There is one spelling of a statement: no two payloads are read as the same one."""
    original = signed(document, judgement)
    at = data.draw(st.integers(0, len(original) - 1))
    inserted = data.draw(st.binary(max_size=3) | st.sampled_from([b" ", b"0", b"\\u0041", b"e0", b".0"]))
    changed = original[:at] + inserted + original[at + data.draw(st.integers(0, 3)) :]
    try:
        read = statement.read(changed)
    except BadInput:
        return
    assert (read == statement.read(original)) is (changed == original)


@pytest.mark.parametrize(
    "measured",
    [
        2**53 - 1,
        2.0**53,
        1e16,
        1e20,
        1e21,
        1.7976931348623157e308,
        5e-324,
        -0.0,
        -1e17,
        0.1 + 0.2,
        "\0",
        "\U0001f600",
    ],
)
def test_every_finite_double_and_text_is_signed_exactly(
    document: Input, judgement: Judgement, measured: Any
) -> None:
    finding = judgement.decision.findings[0].model_copy(update={"measured": measured})
    decision = judgement.decision.model_copy(update={"findings": (finding,)})
    judged = judgement.model_copy(update={"decision": decision})
    said = stated(document, judged)
    data = statement.payload(said)
    read = statement.read(data)
    assert read.predicate == said.predicate
    assert list(statement.contradictions(read, statement.parse(data))) == []
