"""Decisions read again: in the form that is asked for, and by what they are about."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree as Xml

import pytest

from mandate.engine.service.access.roles import Role
from tests.organisation import GOOD, with_value
from tests.service import Serving, serving

UNFAIR = with_value(GOOD, ("fairness", "attributes", 0, "metrics", 0, "value"), 0.9)
DIGEST = GOOD["subject"]["sha256"]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A service with a denial for production, two allows for staging, and a what-if."""
    with serving(tmp_path_factory.mktemp("service")) as running:
        staging = GOOD | {"request": GOOD["request"] | {"environment": "staging"}}
        running.decide(UNFAIR)
        for _ in range(2):
            body = {"input": staging, "environment": "staging"}
            assert running.call("POST", "/v1/decisions", json=body).json()["outcome"] == "allow"
        running.decide(GOOD, query="?dry_run=true")
        yield running


def read(service: Serving, accept: str | None) -> Any:
    denied = search(service, "outcome=deny")["entries"][-1]
    headers = {} if accept is None else {"Accept": accept}
    return service.call("GET", f"/v1/decisions/{denied['id']}", role=Role.AUDITOR, headers=headers)


def search(service: Serving, query: str) -> Any:
    response = service.call("GET", f"/v1/decisions?{query}", role=Role.AUDITOR)
    assert response.status_code == 200, response.text
    return response.json()


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("application/sarif+json", "application/sarif+json"),
        ("application/junit+xml", "application/junit+xml"),
        ("application/xml", "application/xml"),
        ("text/markdown", "text/markdown; charset=utf-8"),
        ("text/plain, */*;q=0.1", "text/plain; charset=utf-8"),
        ("application/vnd.dsse.envelope.v1+json", "application/vnd.dsse.envelope.v1+json"),
        ("*/*", "application/json"),
    ],
)
def test_a_decision_is_sent_in_the_form_that_is_asked_for(service: Serving, accept: str, kind: str) -> None:
    response = read(service, accept)
    assert (response.status_code, response.headers["content-type"]) == (200, kind)
    assert response.headers["vary"] == "Accept"


def test_reports_are_those_of_the_command_line(service: Serving) -> None:
    reference = search(service, "outcome=deny")["entries"][-1]["id"]
    for form, accept in (("sarif", "application/sarif+json"), ("junit", "application/xml")):
        printed = service.organisation.mandate("explain", reference, "--output", form).out
        assert read(service, accept).text == printed
    assert read(service, "text/markdown").text.startswith("## ❌ DENY: credit version 2\n")
    assert json.loads(read(service, "application/sarif+json").text)["runs"][0]["results"]
    (suite,) = Xml.fromstring(read(service, "application/junit+xml").content)  # noqa: S314  (ours)
    assert suite.get("failures") == "1"
    assert " DENY " in read(service, "text/plain").text


def test_the_envelope_is_what_was_signed(service: Serving) -> None:
    envelope = read(service, "application/vnd.dsse.envelope.v1+json").json()
    bundle = read(service, "application/vnd.dev.sigstore.bundle.v0.3+json").json()
    assert envelope == bundle["dsseEnvelope"]


def test_a_form_that_there_is_not_is_406_and_lists_the_forms(service: Serving) -> None:
    response = read(service, "application/pdf")
    problem = response.json()
    assert (response.status_code, response.headers["content-type"]) == (406, "application/problem+json")
    assert "application/sarif+json, application/junit+xml" in problem["detail"]
    assert read(service, "nonsense").status_code == 400


@pytest.mark.parametrize(
    ("query", "outcomes"),
    [
        ("", ["allow", "allow", "deny"]),
        ("outcome=deny", ["deny"]),
        ("environment=staging", ["allow", "allow"]),
        ("environment=staging&outcome=deny", []),
        (f"digest={DIGEST}&limit=1", ["allow"]),
        (f"digest=sha256:{DIGEST}", ["allow", "allow", "deny"]),
        ("model=credit&version=2&action=promote", ["allow", "allow", "deny"]),
        ("model=credit&version=3", []),
        ("rule=fairness.demographic_parity", ["deny"]),
        ("person=decider", ["allow", "allow", "deny"]),
        ("kind=what-if", ["allow"]),
        ("kind=any", ["allow", "allow", "allow", "deny", None, None]),
        ("kind=opening", [None]),
        ("since=2020-01-01", ["allow", "allow", "deny"]),
        ("since=2099-01-01T00:00:00Z", []),
        ("until=2020-01-01", []),
        ("since=2020-01-01&until=2099-12-31", ["allow", "allow", "deny"]),
        ("revision=sha256:0000", []),
    ],
)
def test_decisions_are_found_by_what_they_are_about(service: Serving, query: str, outcomes: Any) -> None:
    assert [entry["outcome"] for entry in search(service, query)["entries"]] == outcomes


@pytest.mark.parametrize(
    ("query", "status", "named"),
    [
        ("before=-1", 422, "/query/before"),
        ("before=next", 422, "/query/before"),
        ("before=", 422, "/query/before"),
        ("limit=0", 422, "/query/limit"),
        ("limit=1001", 422, "/query/limit"),
        ("outcome=maybe", 422, "/query/outcome"),
        ("action=launch", 422, "/query/action"),
        ("digest=abc", 422, "/query/digest"),
        ("model=", 422, "/query/model"),
        ("modell=credit", 422, "/query/modell"),
        ("model=a&model=b", 422, "/query/model"),
        ("kind=decree", 400, "kind: "),
        ("since=yesterday", 400, "since: "),
        ("until=2026-02-30", 400, "until: "),
    ],
)
def test_what_cannot_be_searched_for_names_the_parameter(
    service: Serving, query: str, status: int, named: str
) -> None:
    response = service.call("GET", f"/v1/decisions?{query}", role=Role.AUDITOR)
    problem = response.json()
    places = [fault["pointer"] for fault in problem.get("errors", [])] or [problem["detail"]]
    assert response.status_code == status
    assert any(place.startswith(named) for place in places), problem


def test_a_misspelt_dry_run_decides_nothing(service: Serving) -> None:
    before = len(service.organisation.entries())
    for query in ("?dryrun=true", "?dry_run=true&dry_run=false", "?dry-run=1", "?strict"):
        assert service.decide(GOOD, query=query).status_code == 422
    assert len(service.organisation.entries()) == before


def test_pages_are_whole_and_without_repetition_while_others_write(service: Serving) -> None:
    count = len(search(service, "limit=1000")["entries"])
    done = threading.Event()

    def write() -> None:
        while not done.is_set():
            service.decide(UNFAIR)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        indexes, before = [], ""
        while True:
            page = search(service, f"limit=1{before}")
            indexes += [entry["index"] for entry in page["entries"]]
            if page["before"] is None:
                break
            before = f"&before={page['before']}"
    finally:
        done.set()
        writer.join()
    assert indexes == sorted(set(indexes), reverse=True)
    first = indexes[0]
    everything = [entry["index"] for entry in search(service, "limit=1000")["entries"]]
    assert indexes == [index for index in everything if index <= first]
    assert len(indexes) >= count
