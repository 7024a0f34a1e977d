from __future__ import annotations

from pathlib import Path

import pytest

from mandate.engine.errors import BadPolicy
from mandate.engine.policy.probing import Compared, Value
from mandate.engine.policy.testing import Case, Coverage, Ended, TestReport, run_tests

from .conftest import FILES, RULE, write

TEST_FILE = "mandate/rules/fairness/parity/parity_test.rego"
MAIN_TEST = """package mandate.main_test

import data.mandate.main

test_decision[note] if {
	some note, case in {"holds": {"x": 0.05, "holds": true}, "fails": {"x": 0.06, "holds": false}}
	decision := main.decision with input as {"x": case.x}
	decision.findings[0].holds == case.holds
}
"""


def test_tests_that_pass_are_reported_with_their_coverage(library: Path, opa: Path) -> None:
    write(library, {"mandate/main/main_test.rego": MAIN_TEST})
    report = run_tests([library], opa=opa)
    assert report == TestReport(
        cases=(
            Case("mandate.main_test.test_decision / fails", "mandate/main/main_test.rego:5", Ended.PASSED),
            Case("mandate.main_test.test_decision / holds", "mandate/main/main_test.rego:5", Ended.PASSED),
            Case("mandate.rules.fairness.parity_test.test_at_the_bound", f"{TEST_FILE}:6", Ended.PASSED),
            Case("mandate.rules.fairness.parity_test.test_terms", f"{TEST_FILE}:8", Ended.PASSED),
        ),
        files=(
            Coverage("mandate/main/main.rego", report.files[0].covered, ()),
            Coverage("mandate/rules/fairness/parity/parity.rego", 2, ()),
        ),
    )
    assert (report.passed, report.coverage, report.failures) == (True, 100.0, ())


def test_lines_that_no_test_runs_are_named(library: Path, opa: Path) -> None:
    report = run_tests([library], opa=opa)
    assert report.passed
    assert report.coverage is not None
    assert report.coverage < 100
    assert report.uncovered == {"mandate/main/main.rego": (3, 5, 6, 7, 8, 9)}


def test_a_failure_shows_the_expression_and_its_values(library: Path, opa: Path) -> None:
    test = FILES[TEST_FILE].replace('if rule.terms == {"sex"}', 'if {\n\trule.terms == {"age"}\n}')
    write(library, {TEST_FILE: test, "mandate/main/main_test.rego": MAIN_TEST.replace("false", "true")})
    report = run_tests([library], opa=opa)
    assert (report.passed, report.coverage, report.files) == (False, None, ())
    assert [(case.name, case.where, case.ended) for case in report.failures] == [
        ("mandate.main_test.test_decision / fails", "mandate/main/main_test.rego:5", Ended.FAILED),
        ("mandate.rules.fairness.parity_test.test_terms", f"{TEST_FILE}:8", Ended.FAILED),
    ]
    assert [case.compared for case in report.failures] == [
        Compared("decision.findings[0].holds == case.holds", "==", Value(True), Value(False)),
        Compared('rule.terms == {"age"}', "==", Value(["age"], is_set=True), Value(["sex"], is_set=True)),
    ]


def test_an_error_in_a_test_is_a_failure_with_its_message(library: Path, opa: Path) -> None:
    test = "package mandate.main_test\n\ntest_f if f(1)\n\nf(_) := 1\n\nf(_) := 2\n"
    write(library, {"mandate/main/main_test.rego": test})
    (failure,) = run_tests([library], opa=opa).failures
    assert (failure.where, failure.ended) == ("mandate/main/main_test.rego:3", Ended.FAILED)
    assert "produced conflicting values" in failure.output


def test_a_skipped_test_is_no_pass(library: Path, opa: Path) -> None:
    write(library, {"mandate/main/main_test.rego": "package mandate.main_test\n\ntodo_test_f if true\n"})
    report = run_tests([library], opa=opa)
    assert not report.passed
    assert [case.ended for case in report.failures] == [Ended.SKIPPED]


def test_no_tests_are_no_pass(library: Path, opa: Path) -> None:
    (library / TEST_FILE).unlink()
    report = run_tests([library], opa=opa)
    assert (report.cases, report.passed, report.coverage) == ((), False, 0)
    assert report.uncovered == {
        "mandate/main/main.rego": (3, 5, 6, 7, 8, 9),
        "mandate/rules/fairness/parity/parity.rego": (20, 22),
    }


def test_the_librarys_tests_do_not_see_the_organisations_thresholds(
    library: Path, tmp_path: Path, opa: Path
) -> None:
    acme = RULE.replace("mandate.rules.fairness.parity", "mandate.rules.acme.parity")
    test = (
        FILES[TEST_FILE].replace("fairness.parity", "acme.parity").replace('"holds": true', '"holds": false')
    )
    bank = write(
        tmp_path / "bank",
        {
            "thresholds/fairness.yaml": "parity: {default: 0.01}\n",
            "mandate/rules/acme/parity/parity.rego": acme,
            "mandate/rules/acme/parity/parity_test.rego": test,
        },
    )
    report = run_tests([library, bank], opa=opa)
    assert report.passed
    assert [case.where for case in report.cases] == [
        f"{TEST_FILE}:6",
        f"{TEST_FILE}:8",
        "organisation/mandate/rules/acme/parity/parity_test.rego:6",
        "organisation/mandate/rules/acme/parity/parity_test.rego:8",
    ]
    assert [file.file for file in report.files] == [
        "mandate/main/main.rego",
        "mandate/rules/fairness/parity/parity.rego",
        "organisation/mandate/rules/acme/parity/parity.rego",
    ]


def test_a_test_that_does_not_compile_is_a_bad_policy(library: Path, opa: Path) -> None:
    write(library, {"mandate/main/main_test.rego": "package mandate.main_test\n\ntest_f if nothing.here\n"})
    with pytest.raises(BadPolicy) as raised:
        run_tests([library], opa=opa)
    assert str(raised.value) == (
        "mandate/main/main_test.rego:3: var nothing is unsafe (rego_unsafe_var_error). "
        "Define it, import it, or correct its name."
    )


UNLIKE = """package mandate.main_test

test_greater if count([1]) > 4

test_member if {
	checks := {{"term": "a", "n": 1}, {"term": "b", "n": 2}}
	{"term": "b", "n": 3} in checks
}

test_no_member if 3 in [1, 2]

test_a_value_of_a_map if {"term": "a", "n": 2} in {"x": {"term": "a", "n": 1}}

test_undefined if object.get({}, "a", null).b == 1

test_assigned[note] if {
	some note, path in {"there": ["a"], "gone": ["b"]}
	value := object.get({"a": 1}, path, null).x
	value == 1
}

test_scoped if data.mandate.rules.fairness.parity.must == set() with input as {"x": 1} with input.y as 2

test_negated if not 1 == 1

test_every if {
	1 == 1
	every x in [1, 2] {
		x == 1
	}
}

test_cases_of_their_own[note] if {
	some note in ["one", "two"]
	every x in [1] {
		x == note
	}
}

test_by_rank[rank][note] if {
	some rank, notes in [{"a": 1}, {"b": 2}]
	some note, value in notes
	value == 2
}
"""


def test_a_failure_says_what_it_compared(library: Path, opa: Path) -> None:
    write(library, {"mandate/main/main_test.rego": UNLIKE})
    report = run_tests([library], opa=opa)
    failures = [case for case in report.failures if case.where.startswith("mandate/main/")]
    compared = {case.name.removeprefix("mandate.main_test.test_"): case.compared for case in failures}
    undefined = Value(None, is_defined=False)
    assert compared == {
        "greater": Compared("count([1]) > 4", ">", Value(4), Value(1)),
        "member": Compared(
            '{"term": "b", "n": 3} in checks',
            "in",
            Value({"term": "b", "n": 3}),
            Value({"term": "b", "n": 2}),
        ),
        "no_member": Compared("3 in [1, 2]", "in", Value(3), Value([1, 2])),
        "a_value_of_a_map": Compared(
            '{"term": "a", "n": 2} in {"x": {"term": "a", "n": 1}}',
            "in",
            Value({"term": "a", "n": 2}),
            Value({"term": "a", "n": 1}),
        ),
        "undefined": Compared('object.get({}, "a", null).b == 1', "==", Value(1), undefined),
        "assigned / gone": Compared(
            'value := object.get({"a": 1}, path, null).x', ":=", undefined, undefined
        ),
        "assigned / there": Compared(
            'value := object.get({"a": 1}, path, null).x', ":=", undefined, undefined
        ),
        "scoped": Compared(
            "data.mandate.rules.fairness.parity.must == set()",
            "==",
            Value([], is_set=True),
            Value([{"holds": False, "term": "sex"}], is_set=True),
        ),
        "negated": None,
        "every": None,
        "cases_of_their_own / one": None,
        "cases_of_their_own / two": None,
        "by_rank / 0 / a": Compared("value == 2", "==", Value(2), Value(1)),
    }
    drawn = {case.name.rpartition("test_")[2]: case.output for case in failures if case.compared is None}
    assert "not 1 == 1" in drawn["negated"]
    assert "x == 1" in drawn["every"]
    assert '"one"' in drawn["cases_of_their_own / one"]
    assert '"two"' not in drawn["cases_of_their_own / one"]


def test_what_cannot_be_probed_is_drawn_by_opa(library: Path, opa: Path) -> None:
    # The probes cannot be compiled: they would define a name that the test's package has.
    test = "package mandate.main_test\n\nmandate_probe_0 := 1\n\ntest_f if 1 == 2\n"
    write(library, {"mandate/main/main_test.rego": test})
    (failure,) = run_tests([library], opa=opa).failures
    assert (failure.compared, "1 == 2" in failure.output) == (None, True)


@pytest.mark.parametrize(
    "name", ["fairness", "fairness.parity", "mandate.rules.fairness.parity_test.test_terms"]
)
def test_tests_are_selected_by_rule_category_and_name(name: str, library: Path, opa: Path) -> None:
    write(library, {"mandate/main/main_test.rego": MAIN_TEST})
    report = run_tests([library], opa=opa, only=[name])
    assert {case.name for case in report.cases} >= {"mandate.rules.fairness.parity_test.test_terms"}
    assert {case.name.partition("_test")[0] for case in report.cases} == {"mandate.rules.fairness.parity"}
    assert (report.passed, report.coverage) == (True, None)


def test_a_name_that_selects_no_test_is_refused_with_the_nearest(library: Path, opa: Path) -> None:
    with pytest.raises(BadPolicy) as raised:
        run_tests([library], opa=opa, only=["fairness.party"])
    assert str(raised.value) == "there is no test of 'fairness.party'. Write fairness.parity."
