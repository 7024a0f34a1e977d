"""The library that travels with Mandate."""

from __future__ import annotations

from pathlib import Path

from mandate import share
from mandate.engine.policy import bundle

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
