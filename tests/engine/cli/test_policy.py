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
