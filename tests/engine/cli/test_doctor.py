from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.issuer import issuing, respond
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


def test_it_says_who_may_call_the_service(organisation: Organisation) -> None:
    callers = organisation.folder / "callers.yaml"
    callers.write_text("[]\n")
    well = organisation.mandate("doctor").out
    assert "✓ serving        `mandate serve` answers at 127.0.0.1:8080" in well
    assert "✓ callers        nobody is on the list" in well
    callers.write_text(
        "- {name: ci, roles: [decider]}\n"
        '- {name: "old\\e", roles: [auditor, metrics], expires: "2020-01-01T00:00:00Z"}\n'
    )
    shown = organisation.mandate("doctor")
    assert (shown.exit_code, shown.err) == (0, "")
    assert "✓ callers        ci (decider), old\\x1b (auditor, metrics, expired)" in shown.out
    callers.write_text("- {name: ci, roles: [king]}\n")
    shown = organisation.mandate("doctor")
    assert shown.exit_code == 2
    assert f"✗ callers        {callers}:1: 0.roles.0: input should be 'decider'" in shown.out
    assert "→ See schemas/callers.json" in shown.out


def test_it_reads_the_keys_of_issuers(organisation: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    with issuing() as issuer:
        with (organisation.folder / "mandate.yaml").open("a") as file:
            file.write(f"\nservice: {json.dumps({'oidc': [issuer.settings()]})}\n")
        assert f"✓ issuer         {issuer.url}, by the keys first" in organisation.mandate("doctor").out
        issuer.keys = []
        shown = organisation.mandate("doctor")
        assert (shown.exit_code, f"✗ issuer         {issuer.url}: it has no key for ES256" in shown.out) == (
            2,
            True,
        )
        issuer.answer = lambda handler: respond(handler, b"", 500)
        assert "it answers 500, and no other address is tried" in organisation.mandate("doctor").out
        monkeypatch.setitem(sys.modules, "jwt", None)
        assert "→ Run `pip install 'mandate[service]'`" in organisation.mandate("doctor").out
