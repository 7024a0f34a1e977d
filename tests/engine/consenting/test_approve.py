from __future__ import annotations

from contextlib import chdir, closing
from datetime import timedelta
from io import StringIO

import pytest

from mandate import composition
from mandate.engine.configuration import load
from mandate.engine.errors import BadInput
from mandate.engine.evidence import envelope as dsse
from mandate.engine.evidence import keys, statement
from mandate.engine.evidence.ledger import Entry
from mandate.engine.evidence.predicates.base import rfc3339_milliseconds
from mandate.engine.evidence.public_keys import keyring
from mandate.engine.evidence.recorder import Recorder
from mandate.engine.evidence.sql import sqlite
from tests.signatories import employ

from .conftest import SUBJECT, Bank

pytestmark = pytest.mark.xdist_group("mlflow")

OWNER = "approvals.signed_off:model_owner"
OFFICER = "approvals.signed_off:risk_officer"
PARITY = "fairness.demographic_parity:sex"


def test_what_both_approved_is_allowed_and_who_did_is_on_record(bank: Bank) -> None:
    assert [*bank.denials(bank.check())] == ["approvals.signed_off:different people", OWNER, OFFICER]
    first, second = bank.approve_both()
    answer = bank.check()
    assert (answer["outcome"], bank.denials(answer)) == ("allow", {})
    assert bank.organisation.mandate("ledger", "verify").exit_code == 0
    listed = bank.organisation.mandate("approvals", SUBJECT, "--output", "json").json
    assert [(each["approver"], each["role"], each["entry"]) for each in listed["approvals"]] == [
        ("mira@bank.example", "model_owner", first),
        ("tomas@bank.example", "risk_officer", second),
    ]
    assert [(each["keyid"], each["revoked_by"]) for each in listed["approvals"]] == [
        (bank.mira.keyid, None),
        (bank.tomas.keyid, None),
    ]


def test_who_approves_sees_the_findings_and_signs_what_was_shown(bank: Bank) -> None:
    ran = bank.approve(bank.mira, "model_owner", "--reference", "MODEL-1")
    assert ran.exit_code == 0, ran.err
    assert "fairness.demographic_parity" in ran.out
    assert f"signed by  mira@bank.example, {bank.mira.keyid}" in ran.out
    assert "✓ mira@bank.example approved models:/credit/1 as model_owner" in ran.out
    assert max(map(len, ran.out.splitlines())) <= 100
    shown, approved = (said["predicate"] for said in bank.entries("what-if", "approval"))
    assert approved["shown"]["decision"] == shown["id"]
    assert approved["policy"] == {"revision": shown["policy"]["revision"]}
    assert approved["model"] == {
        "uri": SUBJECT,
        "name": "credit",
        "version": "1",
        "sha256": shown["input"]["subject"]["sha256"],
    }
    assert (approved["by"], approved["role"], approved["reference"]) == (
        "mira@bank.example",
        "model_owner",
        "MODEL-1",
    )


def test_when_the_findings_change_the_approval_no_longer_counts_and_the_denial_says_why(bank: Bank) -> None:
    bank.check()
    bank.approve_both()
    bank.predict(unfair=1)
    answer = bank.check()
    said = bank.denials(answer)[OWNER]
    assert answer["outcome"] == "deny"
    assert "The approval by mira@bank.example of " in said
    assert (
        "does not count: since then, fairness.demographic_parity for sex was 0 (<= 0.05, passed) and is"
        in said
    )
    bank.predict()
    assert bank.check()["outcome"] == "allow"


def test_when_a_key_or_a_role_is_taken_away_the_denial_says_so(bank: Bank) -> None:
    bank.check()
    bank.approve_both()
    employ(bank.organisation, [(bank.eve, ["model_owner"]), (bank.tomas, ["model_owner"])])
    said = bank.denials(bank.check())
    assert "does not count: the policies know no such person." in said[OWNER]
    assert "does not count: the policies do not give them the role risk_officer." in said[OFFICER]
    assert bank.organisation.mandate("ledger", "verify").exit_code == 0


def test_what_was_revoked_counts_no_longer_and_stays_so(bank: Bank) -> None:
    bank.check()
    first, _ = bank.approve_both()
    allowed = bank.check()
    ran = bank.tomas.signs(bank.organisation, "revoke", first, "--reason", "The data was wrong")
    assert ran.exit_code == 0, ran.err
    assert f"✓ tomas@bank.example revoked the approval {first}" in ran.out
    said = bank.denials(bank.check())[OWNER]
    assert "does not count: tomas@bank.example, in entry " in said
    again = bank.tomas.signs(bank.organisation, "revoke", first, "--reason", "Twice")
    assert (again.exit_code, "revoked it already" in again.err) == (2, True)
    assert bank.approve(bank.mira, "model_owner").exit_code == 0
    assert bank.check()["outcome"] == "allow"
    withdrawn = bank.tomas.signs(
        bank.organisation, "revoke", allowed["id"], "--reason", "Found out", "--output", "json"
    )
    assert (withdrawn.exit_code, withdrawn.json["kind"], withdrawn.json["revoked"]) == (
        0,
        "decision",
        allowed["id"],
    )
    for other in (withdrawn.json["ledger"]["id"], "0"):
        refused = bank.tomas.signs(bank.organisation, "revoke", other, "--reason", "It is no such thing")
        assert (refused.exit_code, "no approval, no waiver and no allow" in refused.err) == (2, True)
    assert bank.organisation.mandate("ledger", "verify").exit_code == 0


def test_who_cannot_approve_hears_of_it_before_signing(bank: Bank) -> None:
    for who, role, said in (
        (bank.eve, "model_owner", f"the key {bank.eve.keyid} is of nobody that the policies know"),
        (bank.mira, "risk_officer", "mira@bank.example does not have the role 'risk_officer'"),
    ):
        ran = bank.approve(who, role)
        assert (ran.exit_code, said in ran.err) == (2, True), ran.err
    employ(bank.organisation, [(bank.mira, ["model_owner", "risk_officer"]), (bank.tomas, [])])
    ran = bank.approve(bank.tomas, "model_owner")
    assert (ran.exit_code, "tomas@bank.example does not have the role" in ran.err) == (2, True)
    assert bank.approve(bank.mira, "model_owner").exit_code == 0
    ran = bank.approve(bank.mira, "risk_officer")
    said = "mira@bank.example approved it already as model_owner, and one person fills one role"
    assert (ran.exit_code, said in ran.err) == (2, True)
    assert len(bank.entries("approval")) == 1


def test_an_author_cannot_approve_by_any_name(bank: Bank) -> None:
    bank.check()
    (decision,) = bank.entries("decision")
    user = decision["predicate"]["input"]["model"]["source"]["user"]
    people = bank.folder / "policies/people/all.yaml"
    people.write_text(
        people.read_text().replace("roles: [model_owner]", f"roles: [model_owner]\n  identities: [{user}]")
    )
    ran = bank.approve(bank.mira, "model_owner")
    assert (ran.exit_code, f"mira@bank.example is an author of the model, by the name {user}" in ran.err) == (
        2,
        True,
    )


def test_only_what_is_in_front_of_the_person_can_be_approved(bank: Bank) -> None:
    old = bank.check()["id"]
    bank.employ(officer="another_role")
    ran = bank.approve(bank.mira, "model_owner", "--decision", old)
    assert (ran.exit_code, "other policies judged then" in ran.err) == (2, True)
    other = bank.organisation.mandate("check", "models:/credit/2", "--output", "json").json["id"]
    ran = bank.approve(bank.mira, "model_owner", "--decision", other)
    assert (ran.exit_code, "this decision is about models:/credit/2 as it was" in ran.err) == (2, True)
    (bank.folder / "predictions.csv").write_text("id\n")
    ran = bank.approve(bank.mira, "model_owner")
    assert (ran.exit_code, "nobody can say what there is to sign" in ran.err) == (3, True)


@pytest.mark.parametrize(("typed", "exit_code"), [("n\n", 1), ("", 130)])
def test_nothing_is_signed_without_a_yes(
    bank: Bank, typed: str, exit_code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    bank.check()
    until = f"{composition.now() + timedelta(days=9):%Y-%m-%d}"
    why = ("--until", until, "--reason", "x", "--reference", "y")
    commands = (
        ("approve", SUBJECT, "--role", "model_owner", "--key", str(bank.mira.key)),
        ("waive", "fairness.demographic_parity", SUBJECT, *why, "--key", str(bank.tomas.key)),
    )
    for command in commands:
        assert bank.organisation.mandate(*command, "--output", "json").exit_code == 2
        monkeypatch.setattr("sys.stdin", StringIO(typed))
        assert bank.organisation.mandate(*command).exit_code == exit_code
    assert bank.approve(bank.mira, "model_owner").exit_code == 0
    (given,) = bank.entries("approval")
    monkeypatch.setattr("sys.stdin", StringIO(typed))
    revoke = ("revoke", given["predicate"]["id"], "--reason", "x", "--key", str(bank.tomas.key))
    assert bank.organisation.mandate(*revoke).exit_code == exit_code
    assert bank.entries("waiver", "revocation") == []


def test_a_file_that_nobody_signed_counts_for_a_what_if_alone(bank: Bank) -> None:
    answer = bank.check()
    approvals = "".join(
        f"- role: {role}\n  approver: {who}\n  subject_sha256: {answer['subject']['sha256']}\n"
        "  approved_at: 2026-01-31T10:00:00Z\n"
        for role, who in (("model_owner", "mira"), ("risk_officer", "tomas"))
    )
    (bank.folder / "approvals.yaml").write_text(approvals)
    filed = ("--set", "collectors.approvals.file=approvals.yaml")
    refused = bank.organisation.mandate("check", SUBJECT, *filed)
    assert (refused.exit_code, "let people run `mandate approve`; or ask with --what-if" in refused.err) == (
        2,
        True,
    )
    supposed = bank.check("--what-if", *filed)
    (recorded,) = bank.entries("what-if")
    assert (supposed["outcome"], recorded["predicate"]["input"]["request"]["what_if"]) == ("allow", True)
    assert bank.check()["outcome"] == "deny"


def test_a_persons_key_signs_nothing_but_what_that_person_says(bank: Bank) -> None:
    bank.check()
    bank.approve_both()
    configuration = load(bank.folder / "mandate.yaml", environment={})
    with (
        chdir(bank.folder),
        closing(composition.ledger(configuration, composition.signing_key(configuration))) as store,
    ):
        believed = composition.public_keys(configuration)
        recorder = Recorder(store, composition.signing_key(configuration), composition.now, believed)
        tomas = keys.load(bank.tomas.key)
        mine = [stored for stored in store.entries() if stored.kind.endswith("approval/v1")]
        payload = dsse.parse(mine[0].envelope or b"").payload
        # As if tomas had signed what mira says, and as if he were the ledger.
        forged = dsse.seal(payload, tomas)
        with pytest.raises(BadInput, match="something else is on record under its id"):
            recorder.admit(forged, keyring(tomas.public_key))
        decided = next(stored for stored in store.entries() if stored.kind.endswith("decision/v1"))
        decision = dsse.seal(dsse.parse(decided.envelope or b"").payload, tomas)
        with pytest.raises(BadInput, match="nobody but the ledger may say"):
            recorder.admit(decision, keyring(tomas.public_key))
        for envelope in (forged, decision):
            predicate = statement.read(envelope.payload).predicate
            entry = Entry(
                id=predicate.id[:-4] + "abcd",
                kind=predicate.TYPE,
                recorded_at=rfc3339_milliseconds(predicate.recordedAt),
                columns=predicate.columns(),
                envelope=envelope.to_bytes(),
            )
            store.append(entry)
    report = bank.organisation.mandate("ledger", "verify", "--output", "json").json
    unknown = f"it is signed by an unknown key, {bank.tomas.keyid}"
    assert [fault["what"] for fault in report["faults"] if "column" not in fault["what"]] == [
        unknown,
        unknown,
    ]


def test_without_the_policies_of_its_time_an_approval_counts_no_longer(bank: Bank) -> None:
    revision = bank.check()["policy"]["revision"].removeprefix("sha256:")
    bank.approve_both()
    bank.employ(officer="risk_officer, another_role")
    assert bank.check()["outcome"] == "allow"
    for file in (bank.folder / ".mandate/policies").glob(f"{revision}*"):
        file.unlink()
    said = bank.denials(bank.check())[OWNER]
    assert "does not count: it is signed by a key that is not theirs." in said
    assert bank.organisation.mandate("ledger", "verify").exit_code == 3


def test_an_entry_of_the_future_is_not_admitted(bank: Bank) -> None:
    bank.check()
    bank.approve_both()
    with closing(sqlite.open_for_reading(bank.folder / ".mandate/ledger.db")) as store:
        stored = next(each for each in store.entries() if each.kind.endswith("approval/v1"))
    configuration = load(bank.folder / "mandate.yaml", environment={})
    mira = keys.load(bank.mira.key)
    with closing(composition.ledger(configuration, composition.signing_key(configuration))) as ledger:
        recorder = Recorder(ledger, composition.signing_key(configuration), composition.now)
        payload = dsse.parse(stored.envelope or b"").payload
        for change, said in (
            ((b'"recordedAt":"20', b'"recordedAt":"30'), "which is yet to come"),
            ((b'"recordedAt":"2026', b'"recordedAt":"2025'), "its id is not of the time"),
        ):
            with pytest.raises(BadInput, match=said):
                recorder.admit(dsse.seal(payload.replace(*change), mira), keyring(mira.public_key))
