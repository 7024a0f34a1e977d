from __future__ import annotations

from mandate.engine.policy.docs.controls import OTHER, Control, Framework, frameworks


def test_controls_are_grouped_by_framework_and_ordered_as_people_count() -> None:
    named = {
        "EU AI Act 10(2)(f)": ["fairness.parity"],
        "EU AI Act 9(8)": ["performance.minimum"],
        "29 CFR 1607.4(D)": ["fairness.impact"],
        "NYC Local Law 144, 6 RCNY 5-300 ff.": ["fairness.impact"],
        "SOC 2 CC8.1": ["approvals.signed_off"],
        "SOC 21 A": ["approvals.signed_off"],
        "GDPR": ["documentation.model_card"],
        "Bank policy MRM-7 4.2": ["documentation.model_card"],
        "7 rules": ["documentation.model_card"],
        "four eyes": ["approvals.signed_off"],
    }
    assert {each.name: [control.clause for control in each.controls] for each in frameworks(named)} == {
        "29 CFR 1607": ["4(D)"],
        "Bank policy": ["MRM-7 4.2"],
        "EU AI Act": ["9(8)", "10(2)(f)"],
        "GDPR": ["GDPR"],
        "NYC Local Law 144": ["6 RCNY 5-300 ff."],
        "SOC": ["21 A"],
        "SOC 2": ["CC8.1"],
        OTHER: ["7 rules", "four eyes"],
    }
    assert [each.name for each in frameworks(named)][-1] == OTHER


def test_a_framework_says_what_it_is_where_that_is_known() -> None:
    assert frameworks({"SOC 2 CC8.1": ["a.b", "a.c"], "Ours 1": ["a.b"]}) == (
        Framework("Ours", "", (Control("Ours 1", "Ours", "1", ("a.b",)),)),
        Framework(
            "SOC 2",
            "Trust Services Criteria of the AICPA",
            (Control("SOC 2 CC8.1", "SOC 2", "CC8.1", ("a.b", "a.c")),),
        ),
    )
