"""A bank whose model needs two approvals, and what it measures of that model."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mandate.engine.evidence import envelope as dsse
from mandate.engine.evidence.sql import sqlite
from tests.mlflow_fixtures import Store
from tests.organisation import Organisation, Ran
from tests.signatories import Signatory, employ

SELECTION = """include:
  default:
    - registry.signature
    - fairness.demographic_parity
    - "approvals.signed_off:model_owner"
    - "approvals.signed_off:risk_officer"
    - "approvals.signed_off:different people"
"""
HEADER = "id,approved,predicted,sex\n"
ROWS = [("yes", "f"), ("no", "f"), ("yes", "m"), ("no", "m")] * 40
SUBJECT = "models:/credit/1"


@dataclass(frozen=True)
class Bank:
    """The organisation and its people."""

    organisation: Organisation
    mira: Signatory
    """Owns the model."""
    tomas: Signatory
    """Answers for risk."""
    eve: Signatory
    """Is known to nobody."""

    @property
    def folder(self) -> Path:
        return self.organisation.folder

    def predict(self, unfair: int = 0) -> None:
        """Predict what is true, but deny so many women who were approved."""
        lines = []
        for number, (label, sex) in enumerate(ROWS):
            denied = label == "yes" and sex == "f" and number < 4 * unfair
            lines.append(f"{number},{label},{'no' if denied else label},{sex}\n")
        (self.folder / "predictions.csv").write_text(HEADER + "".join(lines))

    def employ(self, owner: str = "model_owner", officer: str = "risk_officer") -> None:
        employ(self.organisation, [(self.mira, [owner]), (self.tomas, [officer])])

    def check(self, *arguments: str) -> Any:
        return self.organisation.mandate("check", SUBJECT, "--output", "json", *arguments).json

    def approve(self, who: Signatory, role: str, *arguments: str) -> Ran:
        return who.signs(self.organisation, "approve", SUBJECT, "--role", role, *arguments)

    def approve_both(self) -> list[str]:
        """Both approve; the ids of the entries."""
        given = [
            self.approve(self.mira, "model_owner", "--output", "json"),
            self.approve(self.tomas, "risk_officer", "--output", "json"),
        ]
        assert [ran.exit_code for ran in given] == [0, 0], [ran.out + ran.err for ran in given]
        return [ran.json["ledger"]["id"] for ran in given]

    def entries(self, *kinds: str) -> list[Any]:
        """The statements of these kinds in the ledger, in its order."""
        return [json.loads(dsse.parse(envelope).payload) for envelope in self.envelopes(*kinds)]

    def envelopes(self, *kinds: str) -> list[bytes]:
        """The envelopes of such entries."""
        wanted = {f"https://mandate.dev/attestations/{kind}/v1" for kind in kinds}
        with closing(sqlite.open_for_reading(self.folder / ".mandate/ledger.db")) as store:
            return [stored.envelope or b"" for stored in store.entries() if stored.kind in wanted]

    def denials(self, answer: Any) -> dict[str, str]:
        """What stands against it, by rule and term."""
        return {
            f"{finding['rule']}:{finding['term']}": finding["message"]
            for finding in answer["findings"]
            if finding["outcome"] in ("violation", "no_verdict")
        }


@pytest.fixture
def bank(store: Store, tmp_path: Path) -> Bank:
    """Nobody has approved anything yet."""
    organisation = Organisation(tmp_path / "bank")
    organisation.folder.mkdir()
    assert organisation.mandate("init", "--name", "bank.example/models").exit_code == 0
    (organisation.folder / "policies/selection.yaml").write_text(SELECTION)
    settings = {
        "ledger": {"name": "bank.example/models"},
        "registry": store.settings(),
        "collectors": {
            "mlflow": {},
            "fairness": {
                "predictions": "predictions.csv",
                "labels": "labels.csv",
                "id": "id",
                "label": "approved",
                "prediction": "predicted",
                "positive": "yes",
                "sensitive": ["sex"],
            },
        },
    }
    (organisation.folder / "mandate.yaml").write_text(json.dumps(settings))
    people = [Signatory.made(tmp_path / "keys", f"{name}@bank.example") for name in ("mira", "tomas", "eve")]
    bank = Bank(organisation, *people)
    bank.employ()
    bank.predict()
    labels = "".join(f"{number},{label},{label},{sex}\n" for number, (label, sex) in enumerate(ROWS))
    (organisation.folder / "labels.csv").write_text(HEADER + labels)
    return bank
