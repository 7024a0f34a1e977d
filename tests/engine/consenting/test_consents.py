"""What is read of approvals that say something else than what is on record."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest

from mandate import composition
from mandate.engine.configuration import Configuration, load
from mandate.engine.digests import canonical
from mandate.engine.errors import BadInput, BadRequest
from mandate.engine.evidence import envelope as dsse
from mandate.engine.evidence import keys, statement
from mandate.engine.evidence.consenting import Consenting, Policies
from mandate.engine.evidence.predicates.approval import ApprovalPredicate
from mandate.engine.evidence.predicates.waiver import WaiverPredicate
from mandate.engine.evidence.public_keys import keyring
from mandate.engine.evidence.recorder import Recorder, Stamp
from mandate.engine.evidence.signatory import model_of
from mandate.engine.evidence.sql import sqlite

from .conftest import Bank

pytestmark = pytest.mark.xdist_group("mlflow")

ELSE = "01a00000-0000-7000-8000-000000000000"


def configured(bank: Bank) -> Configuration:
    return load(bank.folder / "mandate.yaml", environment={})


def admit(bank: Bank, change: Callable[[dict[str, Any]], None]) -> None:
    """Admit what mira approved once more, with something changed, signed by her."""
    (given,) = bank.entries("approval")
    configuration, mira = configured(bank), keys.load(bank.mira.key)
    stamp = Stamp.of(composition.now(), "bank.example/models")
    said = given["predicate"] | {"id": stamp.id}
    change(said)
    predicate = ApprovalPredicate.model_validate_json(
        canonical(said | {"recordedAt": stamp.recorded_at.isoformat()})
    )
    envelope = dsse.seal(statement.payload(statement.state(predicate)), mira)
    signer = composition.signing_key(configuration)
    with closing(composition.ledger(configuration, signer)) as store:
        Recorder(store, signer, composition.now).admit(envelope, keyring(mira.public_key))


@pytest.mark.parametrize(
    "change",
    [
        lambda said: said["shown"].update(findingsSha256="0" * 64),
        lambda said: said["shown"].update(decision=ELSE),
        lambda said: said["model"].update(sha256="0" * 64),
    ],
    ids=["other findings", "a decision that is not there", "another artifact"],
)
def test_what_was_not_shown_of_that_artifact_is_no_finding(
    bank: Bank, change: Callable[[dict[str, Any]], None]
) -> None:
    bank.check()
    assert bank.approve(bank.mira, "model_owner").exit_code == 0
    admit(bank, change)
    first, second = composition.consents(configured(bank)).approvals("credit", "1")
    assert (len(first.shown) > 0, second.shown) == (True, ())
    assert second.entry != first.entry


def test_a_damaged_approval_leaves_the_question_undecided(bank: Bank) -> None:
    bank.check()
    bank.approve_both()
    (first, _) = bank.entries("approval")
    raw = sqlite_connection(bank)
    for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        raw.execute(f'DROP TRIGGER "{name}"')
    raw.execute("UPDATE entries SET revision = 'sha256:other' WHERE id = ?", (first["predicate"]["id"],))
    raw.commit()
    raw.close()
    answer = bank.check()
    assert answer["outcome"] == "undecided"
    assert "its column revision says 'sha256:other'" in answer["reasons"][0]


def sqlite_connection(bank: Bank) -> Any:
    import sqlite3

    return sqlite3.connect(bank.folder / ".mandate/ledger.db")


def test_a_waiver_that_ends_before_it_begins_contradicts_itself(bank: Bank) -> None:
    bank.check()
    assert bank.approve(bank.mira, "model_owner").exit_code == 0
    (given,) = bank.entries("approval")
    said = {key: value for key, value in given["predicate"].items() if key != "role"}
    said |= {"rule": "drift.psi", "effectiveOn": "2026-11-02T00:00:00Z", "expires": "2026-11-01T00:00:00Z"}
    said |= {"reason": "x", "reference": "y"}
    predicate = WaiverPredicate.model_validate_json(canonical(said))
    mira = keys.load(bank.mira.key)
    envelope = dsse.seal(statement.payload(statement.state(predicate)), mira)
    configuration = configured(bank)
    signer = composition.signing_key(configuration)
    with (
        closing(composition.ledger(configuration, signer)) as store,
        pytest.raises(BadInput, match="expires before it takes effect"),
    ):
        Recorder(store, signer, composition.now).admit(envelope, keyring(mira.public_key))


def test_where_nothing_says_how_long_a_waiver_may_last_none_is_signed(bank: Bank) -> None:
    answer = bank.check()
    configuration = configured(bank)
    record = composition.recorded(configuration, answer["id"])
    tomas = keys.load(bank.tomas.key)
    with closing(sqlite.open_for_reading(bank.folder / ".mandate/ledger.db")) as store:
        who = Consenting(
            origin=store.origin,
            signer=tomas,
            policies=Policies(
                "sha256:0",
                {
                    "tomas": {
                        "name": "tomas",
                        "keys": {tomas.keyid: ""},
                        "roles": ["risk_officer"],
                        "identities": [],
                        "set_at": "people/all.yaml:1",
                    }
                },
                {"drift.psi": {"waivable": True}},
                None,
                frozenset({"risk_officer"}),
            ),
            consents=composition.consents(configuration),
            recorder=None,  # type: ignore[arg-type]  # nothing is recorded
            clock=composition.now,
        )
        tomorrow = composition.now() + timedelta(days=1)
        with pytest.raises(BadRequest, match="nothing says how long any may"):
            who.check_waiver(record, "drift.psi", tomorrow)
        nameless = record.document.model_copy(
            update={"subject": record.document.subject.model_copy(update={"sha256": None})}
        )
        with pytest.raises(BadRequest, match="its artifact has no digest"):
            model_of(nameless)
