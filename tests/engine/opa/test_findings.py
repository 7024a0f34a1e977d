"""Decisions of the right shape that Mandate's policies cannot have made."""

from __future__ import annotations

from typing import Any

import pytest

from mandate.engine.decision import Decision, Finding, FindingOutcome, NotApplicable, Outcome, WaiverReport
from mandate.engine.opa.findings import contradiction


def finding(outcome: str, **changes: Any) -> Finding:
    values: dict[str, Any] = {
        "rule": "drift.psi",
        "term": "income",
        "level": "must",
        "outcome": FindingOutcome(outcome),
        "measured": 0.1,
        "comparison": "<=",
        "bound": 0.2,
        "message": None if outcome == "passed" else "Too much drift",
    }
    if outcome == "no_verdict":
        values |= {"measured": None, "comparison": "no verdict", "bound": None}
    if outcome == "waived":
        values["waiver"] = {"id": "W-1"}
    return Finding(**{**values, **changes})


def decision(outcome: Outcome, *findings: Finding, **values: Any) -> Decision:
    return Decision(outcome=outcome, findings=findings, **values)


def waiver(**changes: Any) -> WaiverReport:
    values = {"id": "W-1", "rule": "drift.psi", "status": "in force", "used": True, "warning": None}
    return WaiverReport(**{**values, **changes})


PASSED = finding("passed")
VIOLATION = finding("violation")


@pytest.mark.parametrize(
    "possible",
    [
        decision(Outcome.ALLOW, PASSED),
        decision(Outcome.ALLOW, PASSED, finding("warning", term="job", level="should")),
        decision(Outcome.ALLOW, PASSED, finding("warning", term="job")),
        # Of a rule that will deny one day, which nothing could be judged for yet.
        decision(
            Outcome.ALLOW,
            PASSED,
            finding("warning", term="job", measured=None, comparison="no verdict", bound=None),
        ),
        decision(Outcome.ALLOW, PASSED, finding("waived", term="job"), waivers=(waiver(),)),
        decision(
            Outcome.ALLOW,
            PASSED,
            waivers=(waiver(used=False), waiver(id="W-2", status="expired", used=False)),
        ),
        decision(Outcome.DENY, VIOLATION, VIOLATION, finding("no_verdict", term="job")),
        # Some of a rule's terms may be excluded.
        decision(Outcome.ALLOW, PASSED, not_applicable=(NotApplicable(rule="drift.psi", reason="x"),)),
        decision(Outcome.DENY, reasons=("nothing was selected",)),
        decision(Outcome.UNDECIDED, reasons=("the collector mlflow failed",)),
    ],
)
def test_what_the_policies_decide_is_possible(possible: Decision) -> None:
    assert contradiction(possible) is None


@pytest.mark.parametrize(
    ("impossible", "why"),
    [
        (decision(Outcome.DENY, VIOLATION, PASSED), 'two outcomes for "drift.psi" on "income"'),
        (
            decision(Outcome.ALLOW, PASSED, finding("passed", term="age")),
            'findings out of order at "drift.psi"',
        ),
        (decision(Outcome.ALLOW, finding("passed", measured=None)), "passed without a measurement"),
        (decision(Outcome.DENY, finding("violation", message=None)), "has no message"),
        (decision(Outcome.DENY, finding("violation", message="")), "has no message"),
        (decision(Outcome.DENY, finding("violation", level="should")), "blocks, but only should hold"),
        (decision(Outcome.DENY, finding("no_verdict", level="should")), "blocks, but only should hold"),
        (decision(Outcome.DENY, finding("violation", waiver={"id": "W-1"})), "is waived without a waiver"),
        (
            decision(Outcome.ALLOW, PASSED, finding("waived", term="job", waiver=None)),
            "is waived without a waiver",
        ),
        (
            decision(Outcome.ALLOW, finding("passed", comparison="no verdict")),
            "does not agree with its outcome",
        ),
        (decision(Outcome.DENY, finding("no_verdict", comparison="<=")), "does not agree with its outcome"),
        (
            decision(Outcome.ALLOW, PASSED, finding("waived", term="job", comparison="no verdict")),
            "does not agree with its outcome",
        ),
        (decision(Outcome.ALLOW, PASSED, finding("waived", term="job")), "other waivers in force"),
        (decision(Outcome.ALLOW, PASSED, waivers=(waiver(),)), "other waivers in force"),
        (
            decision(
                Outcome.ALLOW, PASSED, finding("waived", term="job"), waivers=(waiver(status="expired"),)
            ),
            "other waivers in force",
        ),
        (decision(Outcome.ALLOW, finding("passed", n=-1)), "rests on fewer than no rows"),
        (decision(Outcome.ALLOW, finding("passed", bound=[[[[[[[[[1]]]]]]]]])), "nested too deeply"),
        (
            decision(Outcome.ALLOW, finding("passed", measured={"a": [{"b": [[[[[[1]]]]]]}]})),
            "nested too deeply",
        ),
    ],
)
def test_what_they_cannot_decide_is_named(impossible: Decision, why: str) -> None:
    named = contradiction(impossible)
    assert named is not None
    assert why in named


@pytest.mark.parametrize(
    ("measured", "comparison", "bound"),
    [
        (0.2, "<=", 0.2),
        (3, ">=", 2.5),
        ("verified", "==", "verified"),
        (False, "==", False),
        ([], "==", []),
        ("a", "one of", ["b", "a"]),
        (["a", "b"], "includes", ["b"]),
        (0, "present", True),
        (False, "present", True),
    ],
)
def test_what_meets_its_bound_can_pass(measured: Any, comparison: str, bound: Any) -> None:
    passed = finding("passed", measured=measured, comparison=comparison, bound=bound)
    assert contradiction(decision(Outcome.ALLOW, passed)) is None


@pytest.mark.parametrize(
    ("measured", "comparison", "bound"),
    [
        (0.21, "<=", 0.2),
        (False, "<=", 0.2),
        ("0.1", "<=", 0.2),
        (0.1, "<=", None),
        (0.1, "<=", "0.2"),
        (2.4, ">=", 2.5),
        ("NaN", ">=", 2.5),
        (True, "==", 1),
        ("", "==", ""),
        ("a", "==", "b"),
        ("c", "one of", ["b", "a"]),
        ("a", "one of", "a"),
        (1, "one of", [True]),
        ([True], "==", [1]),
        ([[0]], "one of", [[[False]]]),
        ([{"a": 1}], "includes", [{"a": True}]),
        ("", "one of", [""]),
        (["a"], "includes", ["a", "b"]),
        (["a"], "includes", []),
        ("ab", "includes", ["a"]),
        (" ", "present", True),
        ([], "present", True),
        ("a", "present", False),
        (0.1, "<", 0.2),
        (0.1, "", 0.2),
    ],
)
def test_a_verdict_by_hand_is_no_answer(measured: Any, comparison: str, bound: Any) -> None:
    passed = finding("passed", measured=measured, comparison=comparison, bound=bound)
    named = contradiction(decision(Outcome.ALLOW, PASSED, finding("warning", term="a"), passed))
    assert named is not None
    assert contradiction(decision(Outcome.ALLOW, passed)) == (
        'the finding "drift.psi" on "income" passed, and what it measured does not meet its bound'
    )
