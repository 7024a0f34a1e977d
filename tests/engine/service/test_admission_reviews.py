"""Whatever is sent, the answer is a well-formed review, and nothing is allowed that was not proven."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mandate.engine import configuration
from mandate.engine.service.admission.verdict import Kind, Verdict
from mandate.engine.service.routes import admission
from mandate.serving import Service
from tests.cluster import deployment, new_model, pod, review, well_formed
from tests.organisation import places, with_value
from tests.service import Serving, serving

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
MODEL = new_model()
"""Nobody ever decides about it."""
ASKED = [
    review(pod(MODEL.annotations, MODEL.image)),
    review(deployment(MODEL.annotations, MODEL.image)),
    review(pod({"mandate.dev/model": "none"}, "proxy:1")),
]
MANY = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with serving(tmp_path_factory.mktemp("cluster")) as running:
        yield running


def sent(cluster: Serving, body: bytes, query: str = "") -> Any:
    headers = {"Content-Type": "application/json"}
    answer = cluster.call("POST", f"/v1/admission/production{query}", content=body, headers=headers)
    assert answer.status_code == 200
    return answer.json()


def written(document: Any) -> bytes:
    """As JSON that Python reads back, whatever stands in it."""
    return json.dumps(document).encode()


@MANY
@given(body=st.binary(max_size=200) | JSON.map(written))
def test_any_body_is_answered_with_a_review_that_does_not_allow(cluster: Serving, body: bytes) -> None:
    answer = sent(cluster, body)
    assert well_formed(answer, answer["response"]["uid"])["allowed"] is False


@MANY
@given(data=st.data())
def test_nothing_in_a_review_allows_what_nobody_allowed(cluster: Serving, data: st.DataObject) -> None:
    """One value is replaced, and the operation and the old object are left alone: those end a question."""
    asked = data.draw(st.sampled_from(ASKED))
    kept = {("request", "operation"), ("request", "oldObject")}
    path = data.draw(st.sampled_from([path for path in places(asked) if path and path[:2] not in kept]))
    body = with_value(asked, path, data.draw(JSON | st.just(...)))
    answer = sent(cluster, written(body))
    response = well_formed(answer, answer["response"]["uid"])
    assert response["allowed"] is False
    uid = body.get("request", {}).get("uid") if isinstance(body.get("request"), dict) else None
    if isinstance(uid, str):
        assert response["uid"] == uid


@MANY
@given(text=st.text(max_size=3000))
def test_whatever_an_annotation_says_the_message_can_be_shown(cluster: Serving, text: str) -> None:
    annotations = {"mandate.dev/model": text, "mandate.dev/digest": text, "mandate.dev/break-glass": text}
    answer = sent(cluster, written(review(pod(annotations, text, text))))
    assert well_formed(answer, "3d2a")["allowed"] is False


def test_an_internal_error_is_undecided_and_says_nothing_of_itself(cluster: Serving) -> None:
    def broken() -> Verdict:
        raise ZeroDivisionError("a secret")

    configured = configuration.load(cluster.organisation.folder / "mandate.yaml", environment={})
    said = asyncio.run(admission.judged(Service(configured).parts(), broken, 1.0))
    answer = well_formed(json.loads(said.response("u")), "u")
    assert (answer["status"]["code"], "secret" in answer["status"]["message"]) == (500, False)


def test_a_service_with_too_much_to_do_is_undecided(tmp_path: Path) -> None:
    with serving(tmp_path, limits={"at_once": 1, "waiting": 0}) as small, ThreadPoolExecutor(8) as pool:
        bodies = [written(review(deployment(MODEL.annotations, MODEL.image), uid=f"{n}")) for n in range(40)]
        answers = list(pool.map(lambda body: sent(small, body), bodies))
    codes = {
        well_formed(each, str(number))["status"]["code"]: each["response"]["status"]["message"]
        for number, each in enumerate(answers)
    }
    assert codes.keys() == {403, 500}
    assert "The service has more to do than it can" in codes[500]


def test_warnings_are_sixteen_short_lines() -> None:
    said = Verdict(Kind.ALLOWED, warnings=tuple(f"{number}\n" + "x" * 200 for number in range(20)))
    warnings = well_formed(json.loads(said.response("u")), "u")["warnings"]
    assert warnings[0].startswith("0\\nxxx")
    assert (len(warnings), warnings[-1]) == (16, "…and 5 more")


@pytest.mark.parametrize(
    "query", ["?timeout=10s", "?timeout=1m30s", "?timeout=soon", "?timeout=", "?timeout=0s"]
)
def test_any_timeout_is_taken(cluster: Serving, query: str) -> None:
    answer = sent(cluster, written(ASKED[0]), query)
    assert well_formed(answer, "3d2a")["status"]["code"] == 403
