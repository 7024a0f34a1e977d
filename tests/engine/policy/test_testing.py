from __future__ import annotations

from pathlib import Path

import pytest

from mandate.engine.errors import BadPolicy
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
    assert report.failures[1].output == (f'{TEST_FILE}:9:\n  \trule.terms == {{"age"}}\n  \t|\n  \t{{"sex"}}')


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
    assert report == TestReport((), ())
    assert not report.passed


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
        "mandate/main/main_test.rego:3: var nothing is unsafe (rego_unsafe_var_error). Correct the policy."
    )
