from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mandate.engine.claim import ClaimedFacts, parse
from mandate.engine.errors import BadInput
from mandate.engine.input import Action, Input

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)

CLAIM: dict[str, Any] = {
    "apiVersion": "mandate/v1",
    "subject": {
        "name": "credit",
        "version": "3",
        "uri": "models:/credit/3",
        "sha256": "a" * 64,
        "risk_tier": "low",
    },
    "request": {
        "action": "promote",
        "environment": "staging",
        "requested_by": "the chief risk officer",
        "time": "1999-01-01T00:00:00Z",
    },
    "performance": {
        "rows": {"count": 100, "sha256": "b" * 64},
        "metrics": [{"name": "accuracy", "value": 0.9, "sample_size": 100, "origin": "measured"}],
        "baseline": {"status": "none", "reason": "first"},
    },
    "collection": [
        {
            "name": "performance",
            "status": "collected",
            "origin": "measured",
            "source": "predictions.csv",
            "collected_at": "2026-11-24T11:00:00+02:00",
            "seconds": 1,
        },
        {"name": "drift", "status": "missing", "reason": "no batch"},
    ],
}


def assembled(claim: object, **overrides: Any) -> Input:
    document = claim if isinstance(claim, bytes) else json.dumps(claim).encode()
    facts = ClaimedFacts(
        parse(document, "claim.json"),
        where="claim.json",
        requested_by="ada",
        risk_tier_of=lambda name: f"tier of {name}",
        **({"action": Action.PROMOTE, "environment": "staging"} | overrides),
    )
    return facts.assemble(NOW)


def changed(**parts: Any) -> dict[str, Any]:
    return {key: value for key, value in (CLAIM | parts).items() if value is not ...}


def test_what_a_caller_may_not_say_is_replaced() -> None:
    document = assembled(CLAIM)
    assert document.request.requested_by == "ada"
    assert document.request.time == NOW
    assert document.subject.risk_tier == "tier of credit"


def test_every_fact_of_a_claim_counts_as_reported_by_the_caller() -> None:
    document = assembled(CLAIM)
    assert document.performance is not None
    assert [figure.origin for figure in document.performance.metrics] == ["reported"]
    assert document.model_dump(mode="json")["collection"] == [
        {
            "name": "performance",
            "status": "collected",
            "origin": "reported",
            "reported_by": "ada",
            "source": "predictions.csv",
            "sha256": None,
            "collected_at": "2026-11-24T09:00:00Z",
            "seconds": 1.0,
        },
        {"name": "drift", "status": "missing", "reason": "no batch", "source": ""},
    ]


def test_a_document_does_not_choose_what_it_is_asked_about() -> None:
    asked = {"action": Action.DEPLOY, "environment": "production"}
    with pytest.raises(BadInput) as caught:
        assembled(CLAIM, **asked)
    assert "request.action is 'promote', and what is asked about is deploy" in str(caught.value)
    assert "Ask with --action (over HTTP: the field action) if that is what you mean" in str(caught.value)
    with pytest.raises(BadInput, match=r"request\.environment is 'staging'"):
        assembled(CLAIM, **asked, overriding=["action"])
    request = assembled(CLAIM, **asked, overriding=["action", "environment"]).request
    assert (request.action, request.environment) == (Action.DEPLOY, "production")


def test_a_document_need_not_repeat_what_is_asked() -> None:
    request = assembled(changed(request=...)).request
    assert (request.action, request.environment) == (Action.PROMOTE, "staging")


@pytest.mark.parametrize(
    ("claim", "message"),
    [
        (b"", "the document is not JSON"),
        (b"{", "the document is not JSON"),
        (b"\xff\xfe", "the document is not JSON"),
        (b"[]", "the document must be a JSON object"),
        (b'{"a": 1, "a": 2}', "the key 'a' stands twice"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 100 + b"1" + b"}" * 100, "nested deeper than 64 levels"),
        (b" " * (16 << 20) + b"{}", "more than 16 MiB"),
        (b"{}", "subject.name: Field required"),
        (changed(subject=[]), "subject must be an object"),
        (changed(collection={}), "collection must be a list"),
        (changed(fairnes={}), "fairnes: Extra inputs are not permitted"),
        (changed(apiVersion="mandate/v2"), "apiVersion: Input should be 'mandate/v1'"),
    ],
)
def test_a_document_that_does_not_fit_is_a_bad_request(claim: object, message: str) -> None:
    with pytest.raises(BadInput, match=r"claim\.json: ") as caught:
        assembled(claim)
    assert message in str(caught.value)


def test_the_error_names_the_field_and_never_its_value() -> None:
    secret = changed(performance={"metrics": "Jane Doe, born 1970"})
    with pytest.raises(BadInput) as caught:
        assembled(secret)
    assert "performance.rows" in str(caught.value)
    assert "Jane" not in str(caught.value)


@pytest.mark.parametrize(
    ("number", "named"), [("NaN", "NaN"), ("1e999", "Infinity"), ("-Infinity", "-Infinity")]
)
def test_a_number_that_is_not_finite_is_named(number: str, named: str) -> None:
    document = json.dumps(CLAIM).replace('"value": 0.9', f'"value": {number}').encode()
    performance = assembled(document).performance
    assert performance is not None
    assert performance.metrics[0].value == named


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
        lambda children: (
            st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=8), children, max_size=4)
        ),
        max_leaves=20,
    ),
    st.sampled_from([*CLAIM, "nothing"]),
)
def test_any_section_is_taken_or_refused_and_never_breaks(value: Any, section: str) -> None:
    try:
        document = assembled(changed(**{section: value}))
    except BadInput:
        return
    assert document.request.requested_by == "ada"
    assert all(entry.status != "collected" or entry.origin == "reported" for entry in document.collection)
