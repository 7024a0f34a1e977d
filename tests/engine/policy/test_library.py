"""The library that travels with Mandate."""

from __future__ import annotations

from pathlib import Path

import pytest

from mandate import share
from mandate.engine.policy import bundle
from mandate.engine.policy.build import Compiled, compiled
from mandate.engine.policy.sources import read

COLLECTORS = {
    "approvals",
    "data_schema",
    "developers",
    "documentation",
    "drift",
    "fairness",
    "mlflow",
    "performance",
    "provenance",
}


@pytest.fixture(scope="module")
def library(opa: Path) -> Compiled:
    """The library's declarations and data."""
    return compiled(read([share.policies()]), opa=opa)


def test_the_library_compiles(opa: Path, store: Path) -> None:
    compiled = bundle.compile([share.policies()], opa=opa, store=store)
    assert {entry for about in compiled.catalogue.values() for entry in about["depends_on"]} <= COLLECTORS
    assert set(compiled.catalogue) >= {
        "approvals.signed_off",
        "developers.certified",
        "documentation.model_card",
        "drift.missing_data",
        "drift.psi",
        "fairness.demographic_parity",
        "fairness.disparate_impact",
        "fairness.group_size",
        "performance.minimum",
        "performance.no_regression",
        "provenance.complete",
        "provenance.data_age",
        "provenance.linked",
        "registry.digest",
        "registry.signature",
        "schema.compatible",
    }


def test_an_empty_folder_of_an_organisation_changes_nothing(opa: Path, store: Path, tmp_path: Path) -> None:
    (tmp_path / "organisation").mkdir()
    alone = bundle.compile([share.policies()], opa=opa, store=store)
    assert bundle.compile([share.policies(), tmp_path / "organisation"], opa=opa, store=store) == alone


@pytest.mark.parametrize(
    ("setting", "value", "advice"),
    [
        ("fairness.demographic_parity_difference", 1.5, "Write a number that is less than 1"),
        ("fairness.demographic_parity_difference", 1, "Write a number that is less than 1"),
        ("fairness.disparate_impact_ratio", 0, "Write a number that is more than 0"),
        ("performance.minimum.accuracy", 0, "Write a number that is more than 0"),
        ("performance.regression_tolerance.accuracy", 1, "Write a number that is less than 1"),
        ("drift.drifted_share", 1, "Write a number that is less than 1"),
        ("drift.null_rate_increase", 1, "Write a number that is less than 1"),
        ("fairness.minimum_group_size", 0, "Write a number that is at least 1"),
        ("documentation.minimum_words", 0, "Write a number that is at least 1"),
        ("provenance.data_age_days", 36500, "Write a number that is at most 3660"),
    ],
)
def test_a_bound_that_can_never_fail_is_an_error(
    setting: str, value: float, advice: str, library: Compiled
) -> None:
    declared = [one for one in library.declarations if one.covers(tuple(setting.split(".")))]
    assert [fault.next_step for one in declared if (fault := one.fault(value))] == [advice]
