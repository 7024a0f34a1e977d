from __future__ import annotations

from typing import Any

import pytest

from mandate.engine.report.impact.wording import Cause, causes

BLOCKED = {
    "outcome": "violation",
    "message": "Too much.",
    "comparison": "<=",
    "bound_set_at": "thresholds/drift.yaml:3",
}


def vanished(*after: dict[str, Any], why: str | None = None) -> dict[str, Any]:
    change = {"rule": "drift.psi", "term": "income", "block": "vanished", "not_applicable": why}
    return {
        "changes": [change | {"before": [BLOCKED], "after": list(after)}],
        "reasons": {"before": [], "after": []},
    }


@pytest.mark.parametrize(
    ("flip", "now"),
    [
        (vanished({"outcome": "passed", "comparison": "present"}), "passes"),
        (vanished({"outcome": "passed", "comparison": "<=", "bound": 0.123456}), "passes at ≤ 0.1235"),
        (
            vanished({"outcome": "passed", "comparison": "one of", "bound": ["a", 2], "bound_set_at": "x:1"}),
            "passes at one of a, 2 [x:1]",
        ),
        (
            vanished({"outcome": "warning", "comparison": "<=", "message": "Too much. From 2027."}),
            "only warns: Too much. From 2027.",
        ),
        (vanished({"outcome": "waived", "comparison": "<="}), "waived"),
        (
            vanished({"outcome": "waived", "waiver": {"approver": "rita", "expires": "2027-01-01"}}),
            "waived by rita until 2027-01-01",
        ),
        (vanished(), "not judged"),
        (vanished(why="it is monitored only"), "not judged: it is monitored only"),
    ],
)
def test_what_became_of_a_term_that_no_longer_blocks(flip: dict[str, Any], now: str) -> None:
    assert list(causes(flip)) == [Cause("drift.psi income", "Too much. [thresholds/drift.yaml:3]", now)]


def test_what_no_finding_says_is_a_cause_too() -> None:
    flip = {"changes": [], "reasons": {"before": ["No \x1b[2J rule."], "after": ["Nothing passed."]}}
    assert list(causes(flip)) == [
        Cause("", "No \\x1b[2J rule.", ""),
        Cause("", "", "Nothing passed."),
    ]
