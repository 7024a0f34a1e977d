"""The service gives the answers of the command line."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from mandate.engine.service.access import tokens
from mandate.engine.service.access.roles import Role
from tests.organisation import GOOD, good, with_value
from tests.service import Serving, bearer

UNFAIR = with_value(GOOD, ("fairness", "attributes", 0, "metrics", 0, "value"), 0.9)


def without_its_own(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer without what is another one's each time: id, time, place, and who asked."""
    request = {name: value for name, value in answer["request"].items() if name != "time"}
    left_out = ("id", "ledger", "request", "collection", "findings", "what_if")
    return {name: value for name, value in answer.items() if name not in left_out} | {
        "request": request | {"requested_by": "x"},
        "findings": [(each["rule"], each["term"], each["outcome"]) for each in answer["findings"]],
    }


@pytest.mark.parametrize("document", [GOOD, UNFAIR], ids=["allow", "deny"])
def test_the_answer_is_that_of_the_command_line(service: Serving, document: Any) -> None:
    over_http = service.decide(document)
    here = service.organisation.check(document).json
    assert over_http.status_code == 200
    assert without_its_own(over_http.json()) == without_its_own(here)
    assert over_http.json()["request"]["requested_by"] == "decider"
    assert over_http.json()["what_if"] is False


def test_nothing_is_answered_that_is_not_on_record(service: Serving) -> None:
    answer = service.decide(UNFAIR).json()
    newest = service.organisation.entries()[-1]
    assert (newest["id"], newest["outcome"], newest["index"]) == (
        answer["id"],
        "deny",
        answer["ledger"]["index"],
    )
    assert service.organisation.mandate("ledger", "verify").exit_code == 0


@pytest.mark.parametrize(
    ("document", "query", "status"),
    [(GOOD, "", 200), (UNFAIR, "", 200), (GOOD, "?status=strict", 200), (UNFAIR, "?status=strict", 403)],
)
def test_a_strict_status_says_the_outcome(service: Serving, document: Any, query: str, status: int) -> None:
    response = service.decide(document, query=query)
    assert response.status_code == status
    assert response.json()["outcome"] == ("allow" if document is GOOD else "deny")


def test_a_dry_run_is_recorded_as_no_decision(service: Serving) -> None:
    answer = service.decide(GOOD, query="?dry_run=true").json()
    newest = service.organisation.entries()[-1]
    assert (answer["outcome"], answer["what_if"]) == ("allow", True)
    assert answer["request"]["what_if"] is True
    assert service.decide(GOOD).json()["request"]["what_if"] is False
    assert (newest["id"], newest["kind"]) == (answer["id"], "https://mandate.dev/attestations/what-if/v1")


def test_the_same_key_gives_the_same_decision(service: Serving) -> None:
    first = service.decide(GOOD, Idempotency_Key="release-7")
    count = len(service.organisation.entries())
    again = service.decide(GOOD, Idempotency_Key="release-7")
    assert first.json() == again.json()
    assert len(service.organisation.entries()) == count
    other = service.decide(UNFAIR, Idempotency_Key="release-7")
    assert other.status_code == 400
    assert "is the request key of another question" in other.json()["detail"]


def test_what_was_undecided_stays_the_answer_of_its_key(service: Serving) -> None:
    def ask(key: str) -> Any:
        body = {"subject": "models:/nobody/1"}  # there is no registry
        return service.call("POST", "/v1/decisions", json=body, headers={"Idempotency-Key": key})

    first, again, other = ask("release-9"), ask("release-9"), ask("release-9-again")
    assert {each.status_code for each in (first, again, other)} == {503}
    assert first.json() == again.json()
    assert other.json()["id"] != first.json()["id"]


def test_a_key_belongs_to_whom_it_came_from(service: Serving) -> None:
    callers = service.organisation.folder / "callers.yaml"
    token, sha256 = tokens.new()
    namesake = {"name": "decider: release", "roles": ["decider"], "token_sha256": [sha256]}
    callers.write_text(json.dumps([*json.loads(callers.read_text()), namesake]))
    first = service.decide(GOOD, Idempotency_Key="release: 8")
    said = {"Authorization": f"Bearer {token}", "Idempotency-Key": "8"}
    theirs = service.call("POST", "/v1/decisions", role=None, json={"input": GOOD}, headers=said)
    assert (first.status_code, theirs.status_code) == (200, 400)
    assert "is the request key of another question" in theirs.json()["detail"]


def test_two_keys_are_as_good_as_none(service: Serving) -> None:
    headers = [*bearer(Role.DECIDER).items(), ("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
    response = service.client.post("/v1/decisions", json={"input": GOOD}, headers=headers)
    assert (response.status_code, response.json()["title"]) == (400, "There is more than one Idempotency-Key")


def test_many_at_once_with_one_key_are_one_decision(service: Serving) -> None:
    ids: list[str] = []

    def ask() -> None:
        ids.append(service.decide(GOOD, Idempotency_Key="at-once").json()["id"])

    threads = [threading.Thread(target=ask) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids) == 12
    assert len(set(ids)) == 1


def test_a_batch_is_answered_in_its_order_each_for_itself(service: Serving) -> None:
    questions = [
        {"input": GOOD},
        {"input": UNFAIR},
        {"input": GOOD, "environment": "the moon"},
        {"nothing": 1},
        {"input": good(apiVersion="mandate/v9")},
    ]
    response = service.call("POST", "/v1/decisions:batch", json={"questions": questions})
    answers = response.json()["answers"]
    assert response.status_code == 200
    assert [each.get("outcome") or each["status"] for each in answers] == ["allow", "deny", 400, 422, 422]


def test_a_decision_is_read_again_in_each_of_its_forms(service: Serving) -> None:
    answer = service.decide(UNFAIR).json()

    def read(accept: str) -> Any:
        response = service.call(
            "GET", f"/v1/decisions/{answer['id']}", role=Role.AUDITOR, headers={"Accept": accept}
        )
        assert response.status_code == 200
        return response.json()

    assert read("application/json") == answer
    assert read("*/*") == answer
    bundle = read("application/vnd.dev.sigstore.bundle.v0.3+json")
    assert bundle["mediaType"] == "application/vnd.dev.sigstore.bundle.v0.3+json"
    proof = read("application/vnd.mandate.proof.v1+json")
    assert proof["bundle"] == bundle
    assert proof["mediaType"] == "application/vnd.mandate.proof.v1+json"


def test_a_question_about_nothing_is_422_and_says_what_to_ask_about(service: Serving) -> None:
    response = service.call("POST", "/v1/decisions", json={})
    assert (response.status_code, response.json()["errors"]) == (
        422,
        [{"pointer": "", "detail": "give either a subject or an input"}],
    )


def test_a_decision_that_is_not_there_is_404(service: Serving) -> None:
    response = service.call("GET", "/v1/decisions/ffff", role=Role.AUDITOR)
    assert (response.status_code, response.headers["content-type"]) == (404, "application/problem+json")
    assert response.json() == {
        "type": "about:blank",
        "title": "There is no such thing",
        "status": 404,
        "detail": "the ledger bank.example/models: there is no decision 'ffff'",
        "next_step": "Give a decision's id, its beginning, or its index",
    }


def test_callers_are_not_told_where_the_ledger_is_and_people_beside_it_are(service: Serving) -> None:
    founding = service.call("GET", "/v1/decisions/0", role=Role.AUDITOR)
    assert (founding.status_code, founding.json()["detail"]) == (
        400,
        "the ledger bank.example/models, entry 0: this entry is no decision",
    )
    said = service.organisation.mandate("explain", "ffff").err
    assert f"{service.organisation.folder}/.mandate/ledger.db: there is no decision 'ffff'" in said


def test_a_search_is_paged(service: Serving) -> None:
    for _ in range(3):
        service.decide(UNFAIR)
    first = service.call("GET", "/v1/decisions?outcome=deny&limit=2", role=Role.AUDITOR).json()
    second = service.call(
        "GET", f"/v1/decisions?outcome=deny&limit=2&before={first['before']}", role=Role.AUDITOR
    ).json()
    indexes = [entry["index"] for entry in first["entries"] + second["entries"]]
    assert len(first["entries"]) == 2
    assert indexes == sorted(indexes, reverse=True)
    assert {entry["outcome"] for entry in first["entries"]} == {"deny"}


def test_an_environment_that_the_policies_do_not_know_is_refused(service: Serving) -> None:
    response = service.call("POST", "/v1/decisions", json={"input": GOOD, "environment": "prodution"})
    assert response.status_code == 400
    assert response.json()["detail"] == "environment: the policies know no environment 'prodution'"
    assert "production" in response.json()["next_step"]


def test_the_head_and_proofs_are_those_of_the_ledger(service: Serving) -> None:
    answer = service.decide(GOOD).json()
    head = service.call("GET", "/v1/checkpoint", role=Role.METRICS).text
    printed = service.organisation.mandate("ledger", "checkpoint").out
    assert head == printed
    proof = service.call("GET", f"/v1/proofs/{answer['id']}", role=Role.AUDITOR).json()
    assert proof["tlogProof"].endswith(head)
    size = int(head.splitlines()[1])
    consistency = service.call("GET", f"/v1/consistency?first=1&second={size}", role=Role.AUDITOR).json()
    assert consistency["hashes"]
    refused = service.call("GET", f"/v1/consistency?first=1&second={size + 1}", role=Role.AUDITOR)
    assert refused.status_code == 422


def test_metrics_tell_outcomes_and_rules(service: Serving) -> None:
    service.decide(UNFAIR)
    text = service.client.get("/metrics").text
    assert 'mandate_decisions_total{action="promote",environment="production",outcome="deny"' in text
    assert 'mandate_findings_total{outcome="violation",rule="fairness.demographic_parity"}' in text
    assert 'route="/v1/decisions",status="200"' in text


def test_openapi_is_of_version_3_1_and_has_examples(service: Serving) -> None:
    described = service.client.get("/openapi.json").json()
    assert described["openapi"].startswith("3.1")
    asked = described["paths"]["/v1/decisions"]["post"]["requestBody"]["content"]["application/json"]
    assert len(asked["schema"]["examples"]) == 2
    assert json.dumps(described)
