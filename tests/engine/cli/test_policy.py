from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mandate import share
from tests.organisation import Organisation, founded

PARITY = "mandate/rules/fairness/demographic_parity"


@pytest.fixture
def organisation(tmp_path: Path) -> Organisation:
    return founded(tmp_path)


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """A copy of the library, to be broken."""
    copy = tmp_path / "library"
    shutil.copytree(share.policies(), copy)
    return copy


def test_the_librarys_own_tests_pass_and_run_all_of_it(organisation: Organisation) -> None:
    report = organisation.mandate("policy", "test", "--output", "json").json
    assert [case for case in report["cases"] if case["ended"] != "passed"] == []
    assert report["uncovered"] == {}
    assert report["coverage"] == 100


def test_the_library_has_no_problems(organisation: Organisation) -> None:
    shown = organisation.mandate("policy", "check")
    assert (shown.exit_code, shown.out) == (0, "✓ no problems\n")
    assert organisation.mandate("policy", "check", "--no-tests", "--output", "json").json == {
        "errors": 0,
        "warnings": 0,
        "problems": [],
    }


def test_a_failing_test_is_shown_with_its_place(organisation: Organisation, library: Path) -> None:
    test = library / PARITY / "demographic_parity_test.rego"
    test.write_text(test.read_text() + "\ntest_that_fails if 1 == 2\n")
    shown = organisation.mandate("policy", "test", "--config", _with(organisation, library))
    assert shown.exit_code == 1
    assert "demographic_parity_test.test_that_fails" in shown.out
    assert "1 failed" in shown.out


FAILING = """
test_compared if rule.terms == {"afam", "age"} with input as testing.good

test_long if concat("", [sprintf("%d ", [n]) | some n in numbers.range(1, 60)]) == "1 "

test_assigned if {
	value := object.get({}, [], {}).x
	value == 1
}

test_greater if count([1]) > 4

test_every if {
	every x in [1, 2] {
		x == 1
	}
}
"""


def test_a_failure_shows_what_was_expected_and_what_was_got_side_by_side(
    organisation: Organisation, library: Path
) -> None:
    file = f"{PARITY}/demographic_parity_test.rego"
    at_the_bound = 'value(0.05), "verdicts": {"afam": "%s"'
    text = (library / file).read_text().replace(at_the_bound % "holds", at_the_bound % "fails")
    (library / file).write_text(text + FAILING)
    chosen = ("policy", "test", "fairness.demographic_parity", "--config", _with(organisation, library))
    shown = organisation.mandate(*chosen)
    test = "mandate.rules.fairness.demographic_parity_test.test"
    first = text[: text.index("test_verdicts[note]")].count("\n") + 1
    added = text.count("\n") + 2
    assert (shown.exit_code, shown.out) == (
        1,
        f"""✗ {file}:{first} {test}_verdicts / at the bound passes failed
    judged == case.verdicts
               expected   got
    ✗ afam     fails      holds
      single   holds      holds
✗ {file}:{added} {test}_compared failed
    rule.terms == {{"afam", "age"}}
          expected   got
      1   "age"      nothing
      2   nothing    "single"
✗ {file}:{added + 2} {test}_long failed
    concat("", [sprintf("%d ", [n]) | some n in numbers.range(1, 60)]) == "1 "
         expected   got
         "1 "       "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29
                    30 31 32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56
                     57 58 59 60 "
✗ {file}:{added + 4} {test}_assigned failed
    value := object.get({{}}, [], {{}}).x
      is undefined: something in it is not there, or cannot be done
✗ {file}:{added + 9} {test}_greater failed
    count([1]) > 4
         expected   got
         > 4        1
✗ {file}:{added + 11} {test}_every failed
    {file}:{added + 13}:
            x == 1
            |
            2
23 passed, 6 failed
""",
    )
    cases = organisation.mandate(*chosen, "--output", "json").json["cases"]
    assert [case for case in cases if case["name"] in (f"{test}_greater", f"{test}_assigned")] == [
        {
            "name": f"{test}_assigned",
            "where": f"{file}:{added + 4}",
            "ended": "failed",
            "expression": "value := object.get({}, [], {}).x",
        },
        {
            "name": f"{test}_greater",
            "where": f"{file}:{added + 9}",
            "ended": "failed",
            "expression": "count([1]) > 4",
            "expected": 4,
            "got": 1,
        },
    ]


def test_a_misspelt_field_of_the_input_is_a_problem(organisation: Organisation, library: Path) -> None:
    rule = library / PARITY / "demographic_parity.rego"
    rule.write_text(rule.read_text().replace("input.fairness.attributes", "input.fairness.atributes"))
    shown = organisation.mandate("policy", "check", "--no-tests", "--config", _with(organisation, library))
    assert shown.exit_code == 2
    assert f"{PARITY}/demographic_parity.rego:" in shown.out
    assert "atributes" in shown.out


def test_a_misspelt_threshold_is_a_problem_with_its_line_and_the_nearest_name(
    organisation: Organisation,
) -> None:
    thresholds = organisation.folder / "policies/thresholds/fairness.yaml"
    thresholds.write_text("# ours\ndemographic_parity_diference: {default: 0.03}\n")
    shown = organisation.mandate("policy", "check", "--no-tests")
    assert shown.exit_code == 2
    assert "organisation/thresholds/fairness.yaml:2" in shown.out
    assert "demographic_parity_difference" in shown.out
    assert organisation.mandate("check", "--input", "-").exit_code == 2


def test_what_is_mechanical_is_mended(organisation: Organisation, library: Path) -> None:
    rule = library / PARITY / "demographic_parity.rego"
    before = rule.read_text()
    rule.write_text(before.replace("\t", "    "))
    config = _with(organisation, library)
    checked = ("policy", "check", "--no-tests", "--config", config)
    assert "it is not in OPA's format" in organisation.mandate(*checked).out
    assert organisation.mandate(*checked, "--fix").exit_code == 0
    assert rule.read_text() == before


def test_without_settings_the_library_alone_is_meant(tmp_path: Path) -> None:
    shown = Organisation(tmp_path).mandate("policy", "check", "--no-tests")
    assert (shown.exit_code, shown.out) == (0, "✓ no problems\n")


def test_settings_that_are_broken_are_not_taken_for_none(organisation: Organisation) -> None:
    (organisation.folder / "mandate.yaml").write_text("ledger: [")
    below = organisation.folder / "below"
    below.mkdir()
    for command in ("check", "test"):
        shown = Organisation(below).mandate("policy", command)
        assert shown.exit_code == 2
        assert "mandate.yaml:1" in shown.err


def test_the_policies_are_held_against_the_opa_of_the_settings(organisation: Organisation) -> None:
    settings = organisation.folder / "mandate.yaml"
    settings.write_text(settings.read_text().replace("opa:\n", "opa:\n  binary: nowhere\n", 1))
    for command in ("check", "test"):
        shown = organisation.mandate("policy", command)
        assert shown.exit_code == 2
        assert "there is no program at the configured path of OPA" in shown.err


def _with(organisation: Organisation, library: Path) -> str:
    """Settings of the organisation with another library."""
    file = organisation.folder / "other.yaml"
    settings = (organisation.folder / "mandate.yaml").read_text()
    file.write_text(settings.replace("policies: [library, policies]", f"policies: ['{library}']"))
    return str(file)
