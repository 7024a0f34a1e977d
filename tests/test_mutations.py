"""Any change of a good input keeps its meaning or stops being an allow, and none is an unforeseen error.

One real OPA and one real ledger serve all of these; the gate is asked as `mandate check --input` asks it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mandate import composition
from mandate.engine.claim import ClaimedFacts, parse
from mandate.engine.configuration import load
from mandate.engine.decision import Decision, Outcome
from mandate.engine.errors import BadInput
from mandate.engine.gate import Gate
from mandate.engine.input import Action
from tests.organisation import GOOD, at, founded, places, with_value

# What may be absent, or be anything, without costing the allow: no rule of the library judges it, or the gate
# sets it itself whatever a document says. Everything else in a good document is needed.
NOT_NEEDED = re.compile(
    "|".join(
        (
            r"apiVersion|waivers",
            r"request(\..*)?|subject\.risk_tier|.*\.origin",
            r"collection\.\*\.(reported_by|sha256|seconds)",
            r".*\.interval(\..*)?|.*\.sample_size",
            r"model\.(aliases|tags|parameters|metrics|datasets|flavors)(\..*)?|model\.registered_by",
            r"model\.source\.(user|repository)|model\.signature\.(inputs|outputs)\.\*(\.required)?",
            r"fairness\.attributes\.\*(\.columns.*|\.groups\.\*\.metrics.*)?",
            r"drift\.columns\.\*(\.test.*|\.null_rate_(reference|current).*|\.new_categories)?",
            r"data_schema\.training.*|data_schema\.signature\.\*\.required",
            r"provenance\.(code\.repository|environment\.container_image_digest)",
            r"developers\.\*(\.evidence.*|\.roles.*|\.identities.*)?|approvals\.\*\.reference",
        )
    )
)
DESTROYED: tuple[Any, ...] = (..., None, "x", float("nan"), [], {}, True, -2)
TEXT_OR_FLAG = (str, bool)
"""Where the good document has one of these, another text or `true` may mean as much."""


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    organisation = founded(tmp_path_factory.mktemp("organisation"), trusting=True)
    configuration = load(organisation.folder / "mandate.yaml", environment={})
    with composition.assembled(configuration) as mandate:
        yield mandate.gate


def decided(gate: Gate, document: Any) -> Decision | None:
    """The decision on a document; `None` if it was refused as no document of ours."""
    try:
        facts = ClaimedFacts(
            parse(json.dumps(document).encode(), "input"),
            where="input",
            requested_by="ada",
            risk_tier_of=lambda _: "high",
            action=Action.PROMOTE,
            environment="production",
        )
        return gate.decide(facts).decision
    except BadInput:
        return None


def general(path: tuple[str | int, ...]) -> str:
    """A place without the numbers in it: `fairness.attributes.*.metrics.*.value`."""
    return ".".join("*" if isinstance(part, int) else part for part in path)


def one_of_each_kind() -> Iterator[tuple[str | int, ...]]:
    """The first place of each kind in the good document."""
    seen: set[str] = set()
    for path in places(GOOD):
        if path and general(path) not in seen:
            seen.add(general(path))
            yield path


def test_the_good_document_is_allowed_or_these_tests_show_nothing(gate: Gate) -> None:
    decision = decided(gate, GOOD)
    assert decision is not None
    assert decision.outcome is Outcome.ALLOW


@pytest.mark.parametrize("path", list(one_of_each_kind()), ids=general)
def test_what_is_destroyed_is_no_longer_allowed(gate: Gate, path: tuple[str | int, ...]) -> None:
    survived = []
    for value in DESTROYED:
        if isinstance(at(GOOD, path), TEXT_OR_FLAG) and isinstance(value, TEXT_OR_FLAG):
            continue
        decision = decided(gate, with_value(GOOD, path, value))
        if decision is not None and decision.outcome is Outcome.ALLOW:
            survived.append(value)
    assert survived == [] or NOT_NEEDED.fullmatch(general(path)), survived


anything = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
some_places = st.lists(st.sampled_from([path for path in places(GOOD) if path]), min_size=1, max_size=4)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(some_places, st.data())
def test_any_mutation_is_answered_and_no_answer_contradicts_itself(
    gate: Gate, paths: list[tuple[str | int, ...]], data: st.DataObject
) -> None:
    document = GOOD
    for path in paths:
        try:
            document = with_value(document, path, data.draw(anything))
        except (LookupError, TypeError):  # an earlier change removed the place
            continue
    decision = decided(gate, document)
    # `Decision` refuses an allow that something blocks, so an answer is enough: undecided would be a policy
    # that stumbled over the document instead of denying it.
    assert decision is None or decision.outcome is not Outcome.UNDECIDED, decision
