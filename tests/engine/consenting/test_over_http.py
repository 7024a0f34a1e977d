"""What people sign, handed in over HTTP: it counts as if they had recorded it themselves, and nothing else
does."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from mandate.engine.evidence import envelope as dsse
from mandate.engine.evidence import statement
from mandate.engine.evidence.predicates.approval import ApprovalPredicate
from mandate.engine.evidence.predicates.decision import DecisionPredicate
from mandate.engine.evidence.predicates.personal import (
    FindingsShown,
    ModelStated,
    PersonalPredicate,
    PolicyStated,
)
from mandate.engine.evidence.predicates.revocation import Revocable, RevocationPredicate, Revoked
from mandate.engine.evidence.predicates.waiver import WaiverPredicate
from mandate.engine.evidence.recorder import Stamp
from mandate.engine.evidence.signers import secrets, signer
from mandate.engine.service.access.roles import Role
from tests.service import Serving, answering, list_callers
from tests.signatories import Signatory, employ

from .conftest import SUBJECT, Bank

pytestmark = pytest.mark.xdist_group("mlflow")

ORIGIN = "bank.example/models"
Envelope = dict[str, Any]


@contextmanager
def open_bank(bank: Bank) -> Iterator[Serving]:
    """The bank's service; nothing is collected in it."""
    file = bank.folder / "mandate.yaml"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"service": {"collect": {"workers": 0}}}))
    list_callers(bank.organisation)
    with answering(bank.organisation) as running:
        yield running


class Desk:
    """Where people write what they sign, by the decision that was shown to them."""

    def __init__(self, bank: Bank) -> None:
        answer = bank.organisation.mandate("check", SUBJECT, "--output", "json")
        assert answer.exit_code in (0, 1), answer.out + answer.err
        recorded = bank.entries("decision")[-1]["predicate"]
        self.predicate = DecisionPredicate.model_validate(recorded, strict=False)

    def approval(self, who: Signatory, role: str, **others: Any) -> Envelope:
        said: dict[str, Any] = {"role": role, "shown": self.shown(), "reference": None, "reason": None}
        return self._signed(ApprovalPredicate, who, **said | others)

    def waiver(self, who: Signatory, rule: str, **others: Any) -> Envelope:
        now = datetime.now(UTC)
        said: dict[str, Any] = {
            "rule": rule,
            "effectiveOn": now,
            "expires": now + timedelta(days=3),
            "shown": self.shown(),
            "reason": "a reason",
            "reference": "RISK-1",
        }
        return self._signed(WaiverPredicate, who, **said | others)

    def revocation(self, who: Signatory, entry: str, kind: Revocable, **others: Any) -> Envelope:
        return self._signed(
            RevocationPredicate, who, revoked=Revoked(entry=entry, kind=kind), reason="a reason", **others
        )

    def shown(self, *, decision: str | None = None, findings: str | None = None) -> FindingsShown:
        """What was in front of the person, or what they only say so of."""
        true = FindingsShown.of(self.predicate.id, self.predicate.decision)
        return FindingsShown(
            decision=decision or true.decision, findingsSha256=findings or true.findingsSha256
        )

    def model(self, sha256: str | None = None) -> ModelStated:
        subject = self.predicate.input.subject
        return ModelStated(
            uri=subject.uri,
            name=subject.name,
            version=subject.version,
            sha256=sha256 or str(subject.sha256),
        )

    def _signed(
        self,
        kind: type[PersonalPredicate],
        who: Signatory,
        *,
        origin: str = ORIGIN,
        key: Path | None = None,
        **said: Any,
    ) -> Envelope:
        stamp = Stamp.of(said.pop("time", datetime.now(UTC)), origin)
        stated = {
            "by": who.name,
            "model": self.model(),
            "policy": PolicyStated(revision=self.predicate.policy.revision),
        }
        predicate = kind(**stamp.fields | stated | said)
        keeper = signer(str(key or who.key), public_key=None, secrets=secrets.Secrets(secrets.PERSON))
        sealed = dsse.seal(statement.payload(statement.state(predicate)), keeper)
        envelope: Envelope = json.loads(sealed.to_bytes())
        return envelope


def hand_in(service: Serving, envelope: Any, route: str = "approvals") -> httpx.Response:
    return service.call("POST", f"/v1/{route}", role=Role.APPROVER, json=envelope)


def test_approvals_that_are_handed_in_count_until_one_is_revoked(bank: Bank) -> None:
    with open_bank(bank) as service:
        desk = Desk(bank)
        assert bank.check()["outcome"] == "deny"
        mira, tomas = desk.approval(bank.mira, "model_owner"), desk.approval(bank.tomas, "risk_officer")
        handed = [hand_in(service, each) for each in (mira, tomas)]
        assert [response.status_code for response in handed] == [201, 201]
        assert bank.check()["outcome"] == "allow"
        revocation = desk.revocation(bank.tomas, handed[1].json()["id"], Revocable.APPROVAL)
        assert hand_in(service, revocation, "events").status_code == 201
        assert bank.check()["outcome"] == "deny"
        assert bank.organisation.mandate("ledger", "verify").exit_code == 0


def test_what_is_handed_in_again_is_answered_again_and_recorded_once(bank: Bank) -> None:
    with open_bank(bank) as service:
        desk = Desk(bank)
        approval = desk.approval(bank.mira, "model_owner")
        first = hand_in(service, approval)
        count = len(bank.organisation.entries())
        revocation = desk.revocation(bank.mira, first.json()["id"], Revocable.APPROVAL)
        ended = hand_in(service, revocation, "events")
        for envelope, route, before in ((approval, "approvals", first), (revocation, "events", ended)):
            again = hand_in(service, envelope, route)
            assert (again.status_code, again.json()) == (201, before.json())
        assert len(bank.organisation.entries()) == count + 1
        # What was revoked stays so, however often it is handed in.
        hand_in(service, desk.approval(bank.tomas, "risk_officer"))
        assert bank.check()["outcome"] == "deny"


def altered(envelope: Envelope, **said: Any) -> Envelope:
    """Something else under the signature."""
    payload = json.loads(base64.b64decode(envelope["payload"]))
    payload["predicate"] |= said
    return envelope | {"payload": base64.b64encode(json.dumps(payload).encode()).decode()}


def test_what_is_forged_or_meant_for_another_place_is_refused_and_not_recorded(bank: Bank) -> None:
    with open_bank(bank) as service:
        desk = Desk(bank)
        good = desk.approval(bank.mira, "model_owner")
        other = desk.approval(bank.tomas, "risk_officer")
        forged: dict[str, tuple[Any, str]] = {
            "a key of somebody else": (desk.approval(bank.tomas, "risk_officer", key=bank.mira.key), "key"),
            "a key of nobody": (desk.approval(bank.mira, "model_owner", key=bank.eve.key), "key"),
            "somebody unknown": (desk.approval(bank.eve, "model_owner"), "key"),
            "a name of somebody else": (desk.approval(bank.mira, "model_owner", by=bank.tomas.name), "key"),
            "another ledger": (
                desk.approval(bank.mira, "model_owner", origin="other.example/models"),
                "it was made for another ledger",
            ),
            "other policies": (
                desk.approval(bank.mira, "model_owner", policy=PolicyStated(revision="sha256:0")),
                "it was signed under other policies",
            ),
            "the future": (
                desk.approval(bank.mira, "model_owner", time=datetime.now(UTC) + timedelta(hours=1)),
                "which is yet to come",
            ),
            "another role": (altered(good, role="risk_officer"), ""),
            "another reason": (altered(good, reason="said the board"), ""),
            "another signature": (good | {"signatures": other["signatures"]}, "key"),
            "no signature": (good | {"signatures": []}, ""),
            "a waiver": (desk.waiver(bank.tomas, "fairness.demographic_parity"), "this is no approval"),
            "a revocation": (
                desk.revocation(bank.mira, desk.predicate.id, Revocable.DECISION),
                "this is no approval",
            ),
            "a decision of the ledger's": (json.loads(bank.envelopes("decision")[0]), "this is no approval"),
            "something else": ({"payload": "e30=", "payloadType": "text/plain", "signatures": []}, ""),
        }
        before = len(bank.organisation.entries())
        for name, (envelope, what) in forged.items():
            response = hand_in(service, envelope)
            assert (name, response.status_code) == (name, 422)
            assert what in response.json()["detail"], name
        assert hand_in(service, good, "waivers").status_code == 422
        assert hand_in(service, good, "events").status_code == 422
        assert len(bank.organisation.entries()) == before
        assert bank.check()["outcome"] == "deny"


def test_what_could_not_count_is_refused_as_it_would_be_before_signing(bank: Bank) -> None:
    user = Desk(bank).predicate.input.model.source.user  # type: ignore[union-attr]  # of a real model
    people = [(bank.mira, ["model_owner", "second_owner"]), (bank.tomas, ["risk_officer"])]
    employ(bank.organisation, [*people, (bank.eve, ["model_owner"])])
    file = bank.folder / "policies/people/all.yaml"
    file.write_text(f"{file.read_text()}  identities: [{user}]\n")
    bank.predict(unfair=4)
    with open_bank(bank) as service:
        desk, now = Desk(bank), datetime.now(UTC)
        mine = hand_in(service, desk.approval(bank.mira, "model_owner"))
        assert mine.status_code == 201
        nobody = "01a20bd5-d436-7259-be78-f5897ab0af46"
        rule = "fairness.demographic_parity"
        fails: list[tuple[str, Envelope, str]] = [
            (
                "approvals",
                desk.approval(bank.eve, "model_owner"),
                "eve@bank.example is an author of the model",
            ),
            ("approvals", desk.approval(bank.tomas, "model_owner"), "does not have the role 'model_owner'"),
            ("approvals", desk.approval(bank.mira, "second_owner"), "approved it already as model_owner"),
            (
                "approvals",
                desk.approval(bank.tomas, "risk_officer", shown=desk.shown(findings="0" * 64)),
                "the findings that were shown are not those of this decision",
            ),
            (
                "approvals",
                desk.approval(bank.tomas, "risk_officer", shown=desk.shown(decision=nobody)),
                "there is no decision",
            ),
            (
                "approvals",
                desk.approval(bank.tomas, "risk_officer", model=desk.model(sha256="0" * 64)),
                "the findings that were shown are not those of this decision",
            ),
            ("waivers", desk.waiver(bank.mira, rule), "mira@bank.example has no role that may waive"),
            ("waivers", desk.waiver(bank.tomas, "no.rule"), "there is no rule 'no.rule'"),
            (
                "waivers",
                desk.waiver(bank.tomas, rule, expires=now + timedelta(days=4000)),
                "days are the most",
            ),
            ("events", desk.revocation(bank.mira, nobody, Revocable.APPROVAL), "there is no decision"),
            (
                "events",
                desk.revocation(bank.mira, mine.json()["id"], Revocable.WAIVER),
                "what it revokes is something else",
            ),
            (
                "events",
                desk.revocation(bank.mira, desk.predicate.id, Revocable.DECISION),
                "this entry is no approval, no waiver and no allow",
            ),
        ]
        before = len(bank.organisation.entries())
        for route, envelope, what in fails:
            response = hand_in(service, envelope, route)
            assert (response.status_code, what in response.json()["detail"]) == (422, True), response.text
            assert "--" not in response.json()["detail"]
        assert len(bank.organisation.entries()) == before
        assert hand_in(service, desk.waiver(bank.tomas, rule), "waivers").status_code == 201
        assert bank.check()["outcome"] == "deny"


def test_what_is_on_record_is_answered_again_after_the_policies_changed(bank: Bank) -> None:
    with open_bank(bank) as service:
        approval = Desk(bank).approval(bank.mira, "model_owner")
        first = hand_in(service, approval)
        assert first.status_code == 201
    bank.employ(officer="another_role")
    with open_bank(bank) as service:
        again = hand_in(service, approval)
        assert (again.status_code, again.json()) == (201, first.json())
        assert hand_in(service, altered(approval, reason="other")).status_code == 422


def test_who_is_no_longer_among_the_people_cannot_hand_in_anything(bank: Bank) -> None:
    desk = Desk(bank)
    signed = desk.approval(bank.tomas, "risk_officer")
    employ(bank.organisation, [(bank.mira, ["model_owner", "risk_officer"])])
    with open_bank(bank) as service:
        assert "under other policies" in hand_in(service, signed).json()["detail"]
        again = Desk(bank).approval(bank.tomas, "risk_officer")
        assert (hand_in(service, again).status_code, bank.check()["outcome"]) == (422, "deny")
