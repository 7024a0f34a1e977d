"""What cannot be judged is refused with the field that is wrong, and nothing is recorded of it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.organisation import GOOD, good
from tests.service import Serving

JSON = {"Content-Type": "application/json"}


def post(service: Serving, content: bytes, **headers: str) -> Any:
    return service.call("POST", "/v1/decisions", content=content, headers={**JSON, **headers})


@pytest.mark.parametrize(
    ("content", "status", "said"),
    [
        (b"", 400, "Expecting value"),
        (b"{", 400, "line 1, column 2"),
        (b'{"subject": "a", "subject": "b"}', 400, "the key 'subject' stands twice"),
        (b"\xff", 400, "not UTF-8"),
        (b"[" * 100 + b"]" * 100, 400, "more than 64 levels"),
        (b"[" * 100_000, 400, "nested too deeply"),
        (b"[]", 422, "one fault"),
        (b"{}", 422, "one fault"),
        (b'{"subject": "a", "input": {}}', 422, "one fault"),
        (b'{"subject": 3}', 422, "one fault"),
        (b'{"subject": "a", "who": "me"}', 422, "one fault"),
        (b'{"subject": "a", "action": "launch"}', 422, "one fault"),
        (b'{"input": {"subject": {}}}', 422, "the document does not fit mandate/v1"),
    ],
)
def test_what_is_wrong_is_named(service: Serving, content: bytes, status: int, said: str) -> None:
    before = len(service.organisation.entries())
    response = post(service, content)
    problem = response.json()
    assert (response.status_code, problem["status"]) == (status, status)
    assert response.headers["content-type"] == "application/problem+json"
    assert said in problem["detail"]
    assert len(service.organisation.entries()) == before


def test_a_fault_names_its_field_by_a_json_pointer(service: Serving) -> None:
    response = post(service, b'{"subject": 3, "action": "launch", "a/b~c": 1}')
    assert {fault["pointer"] for fault in response.json()["errors"]} == {"/subject", "/action", "/a~1b~0c"}


@pytest.mark.parametrize(
    "headers", [{"Content-Type": "text/plain"}, {"Content-Encoding": "gzip"}, {"Content-Type": ""}]
)
def test_what_is_not_plain_json_is_415(service: Serving, headers: dict[str, str]) -> None:
    assert post(service, b"{}", **headers).status_code == 415


def test_a_body_that_is_too_long_is_413_however_it_comes(small: Serving) -> None:
    long = json.dumps({"input": good(x="y" * 40_000)}).encode()
    assert post(small, long).status_code == 413

    def in_pieces() -> Iterator[bytes]:
        for start in range(0, len(long), 1000):
            yield long[start : start + 1000]

    response = small.call("POST", "/v1/decisions", content=in_pieces(), headers=JSON)
    assert response.status_code == 413


def test_a_batch_that_is_too_long_is_refused(small: Serving) -> None:
    response = small.call("POST", "/v1/decisions:batch", json={"questions": [{}] * 4})
    assert (response.status_code, response.json()["title"]) == (422, "The batch is too long")


def test_overload_is_503_with_retry_after_and_records_nothing_half(small: Serving) -> None:
    statuses: list[tuple[int, str | None]] = []

    def ask() -> None:
        response = small.decide(GOOD)
        statuses.append((response.status_code, response.headers.get("retry-after")))

    threads = [threading.Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(statuses) <= {(200, None), (503, "1")}
    answered = statuses.count((200, None))
    assert 0 < answered < 16
    decisions = [entry for entry in small.organisation.entries() if entry["outcome"] == "allow"]
    assert len(decisions) == answered


DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
QUESTIONS = st.one_of(
    DOCUMENTS,
    st.fixed_dictionaries({}, optional=dict.fromkeys(("subject", "input", "action"), DOCUMENTS)),
    st.builds(
        lambda section, value: {"input": GOOD | {section: value}}, st.sampled_from(sorted(GOOD)), DOCUMENTS
    ),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(question=QUESTIONS)
def test_whatever_is_asked_no_error_is_unhandled_and_nothing_false_is_allowed(
    service: Serving, question: Any
) -> None:
    response = post(service, json.dumps(question).encode())
    assert response.status_code in (200, 400, 404, 422, 503)
    answer = response.json()
    if response.status_code == 200 and answer["outcome"] == "allow":
        assert all(finding["outcome"] in ("passed", "waived", "warning") for finding in answer["findings"])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=300), path=st.sampled_from(["/v1/approvals", "/v1/events", "/v1/waivers"]))
def test_what_nobody_signed_is_never_recorded(service: Serving, content: bytes, path: str) -> None:
    from mandate.engine.service.access.roles import Role

    response = service.call("POST", path, role=Role.APPROVER, content=content, headers=JSON)
    assert response.status_code == 422


def test_a_name_that_a_terminal_could_act_on_is_escaped_where_it_is_named(service: Serving) -> None:
    answer = post(service, '{"subject": "models:/a/1", "\x9b31m\u202e": 1}'.encode())
    assert [each["pointer"] for each in answer.json()["errors"]] == ["/\\x9b31m\\u202e"]
