from __future__ import annotations

from pathlib import Path

import pytest

from tests.organisation import Organisation, founded


@pytest.fixture
def organisation(tmp_path: Path) -> Organisation:
    return founded(tmp_path)


def test_all_is_well_after_init(organisation: Organisation) -> None:
    shown = organisation.mandate("doctor")
    assert shown.exit_code == 0, shown.out
    assert "✗" not in shown.out
    for what in ("mandate", "OPA", "libraries", "policies", "ledger", "signing key", "collectors", "judging"):
        assert f"✓ {what}" in shown.out


def test_without_settings_it_says_how_to_begin(tmp_path: Path) -> None:
    shown = Organisation(tmp_path).mandate("doctor")
    assert shown.exit_code == 2
    assert "✗ mandate.yaml" in shown.out
    assert "→ Run `mandate init`" in shown.out


@pytest.mark.parametrize(
    ("harm", "what", "remedy"),
    [
        ("key", "signing key", "chmod 600"),
        ("ledger", "ledger", "→"),
        ("policies", "policies", "→"),
        ("collector", "collectors", "→ Write drift"),
        ("option", "collectors", "→ Write current"),
    ],
)
def test_each_ill_is_named_with_its_remedy(
    organisation: Organisation, harm: str, what: str, remedy: str
) -> None:
    settings = organisation.folder / "mandate.yaml"
    if harm == "key":
        (organisation.folder / ".mandate/keys/signing.pem").chmod(0o640)
    elif harm == "ledger":
        (organisation.folder / ".mandate/ledger.db").unlink()
    elif harm == "policies":
        (organisation.folder / "policies/thresholds/fairness.yaml").write_text("nonsense: {default: 1}\n")
    elif harm == "collector":
        settings.write_text(settings.read_text().replace("  mlflow: {}", "  drfit: {}"))
    else:
        block = "  mlflow: {}\n  drift: {reference: a, curent: b}"
        settings.write_text(settings.read_text().replace("  mlflow: {}", block))
    shown = organisation.mandate("doctor")
    assert shown.exit_code == 2
    (line,) = (line for line in shown.out.splitlines() if line.startswith(f"✗ {what}"))
    assert remedy in shown.out[shown.out.index(line) :]


def test_a_sidecar_that_does_not_answer_is_an_ill(organisation: Organisation) -> None:
    settings = organisation.folder / "mandate.yaml"
    settings.write_text(settings.read_text().replace("opa:\n", "opa:\n  url: http://127.0.0.1:9\n"))
    shown = organisation.mandate("doctor")
    assert shown.exit_code == 2
    assert "✓ OPA            a sidecar at http://127.0.0.1:9" in shown.out
    assert "✗ judging" in shown.out
