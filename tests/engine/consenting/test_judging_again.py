"""Replay and impact of decisions for which somebody's signature counted."""

from __future__ import annotations

import pytest

from .conftest import Bank

pytestmark = pytest.mark.xdist_group("mlflow")

FAIRNESS = "policies/thresholds/fairness.yaml"


def test_a_decision_on_signed_approvals_is_judged_again_byte_for_byte(bank: Bank) -> None:
    bank.check()
    bank.approve_both()
    answer = bank.check()
    assert answer["outcome"] == "allow"
    again = bank.organisation.mandate("replay", answer["id"])
    assert again.exit_code == 0, again.out


@pytest.mark.parametrize(
    ("thresholds", "flips"),
    [
        # What was approved is another finding, if another bound is met.
        ("demographic_parity_difference: {default: 0.06}\n", [("allow", "deny")]),
        # Another line sets the same bound.
        ("# As before.\ndemographic_parity_difference: {default: 0.05}\n", []),
    ],
)
def test_an_impact_by_reach_is_that_by_all_rules(
    bank: Bank, thresholds: str, flips: list[tuple[str, str]]
) -> None:
    bank.check()
    bank.approve_both()
    assert bank.check()["outcome"] == "allow"
    (bank.folder / FAIRNESS).write_text(thresholds)
    reports = [
        bank.organisation.mandate("policy", "impact", "--output", "json", *arguments).json
        for arguments in ((), ("--whole",))
    ]
    for report in reports:
        assert [(flip["before"], flip["after"]) for flip in report["flips"]] == flips
    by_reach, whole = ([flip["changes"] for flip in report["flips"]] for report in reports)
    assert by_reach == whole
