"""What a person signs, in that person's name: envelopes, which are recorded here or handed in elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..decision import Outcome
from ..errors import BadRequest, CouldNotDecide
from ..input.document import Input
from . import envelope as dsse
from . import statement
from .envelope import Envelope
from .keys import Signer
from .predicates.approval import ApprovalPredicate
from .predicates.base import Predicate
from .predicates.decision import DecisionPredicate
from .predicates.personal import FindingsShown, ModelStated, PersonalPredicate, PolicyStated
from .predicates.revocation import Revocable, RevocationPredicate, Revoked
from .predicates.waiver import WaiverPredicate
from .receipt import Record
from .recorder import Stamp


@dataclass(frozen=True, slots=True)
class Standing:
    """Something that can be revoked."""

    entry: str
    """Its id."""
    kind: Revocable
    model: ModelStated
    of: str
    """Whose it is, and what it says."""


@dataclass(frozen=True, slots=True)
class Signatory:
    """One person, who signs for one ledger under the policies in use."""

    name: str
    """As the policies have it."""
    signer: Signer
    origin: str
    """The ledger's name."""
    revision: str
    """Of the policies whose people say whose key it is."""
    clock: Callable[[], datetime]

    @property
    def keyid(self) -> str:
        """With which key."""
        return self.signer.public_key.keyid

    def approval(
        self, record: Record, role: str, *, reference: str | None = None, reason: str | None = None
    ) -> Envelope:
        """Consent to the artifact of a recorded decision, for the findings in it."""
        return self._signed(
            ApprovalPredicate,
            model_of(record.document),
            role=role,
            shown=FindingsShown.of(record.receipt.id, record.judgement.decision),
            reference=reference,
            reason=reason,
        )

    def waiver(self, record: Record, rule: str, *, until: datetime, reason: str, reference: str) -> Envelope:
        """Answer for a violation by the artifact of a recorded decision, from now until then."""
        return self._signed(
            WaiverPredicate,
            model_of(record.document),
            rule=rule,
            effectiveOn=None,
            expires=until,
            shown=FindingsShown.of(record.receipt.id, record.judgement.decision),
            reason=reason,
            reference=reference,
        )

    def revocation(self, standing: Standing, *, reason: str) -> Envelope:
        """Take back an approval, a waiver, or an allow."""
        revoked = Revoked(entry=standing.entry, kind=standing.kind)
        return self._signed(RevocationPredicate, standing.model, revoked=revoked, reason=reason)

    def _signed(self, kind: type[PersonalPredicate], model: ModelStated, **said: Any) -> Envelope:
        stamp = Stamp.of(self.clock(), self.origin)
        if "effectiveOn" in said:
            said["effectiveOn"] = stamp.recorded_at
        predicate = kind(
            **stamp.fields,
            by=self.name,
            model=model,
            policy=PolicyStated(revision=self.revision),
            **said,
        )
        return dsse.seal(statement.payload(statement.state(predicate)), self.signer)


def refuse_unfit(record: Record, *, uri: str, sha256: str | None, revision: str | None) -> None:
    """Return if the decision is what somebody can sign by: about this artifact as it is (`None`: as it was),
    by the policies in use (`None`: by whichever), and no *undecided*. `BadRequest` or `CouldNotDecide` if
    not."""
    subject, decided = record.document.subject, record.judgement
    if (subject.uri, subject.sha256) != (uri, sha256 or subject.sha256):
        raise BadRequest(
            f"this decision is about {subject.uri} as it was, sha256 {subject.sha256}",
            where=record.receipt.id,
            next_step=f"Name a decision about {uri} as it is, or none",
        )
    if decided.policy.revision != (revision or decided.policy.revision):
        raise BadRequest(
            "other policies judged then than those that are in use now",
            where=record.receipt.id,
            next_step="Name a decision by the policies in use, or none",
        )
    if decided.decision.outcome is Outcome.UNDECIDED:
        raise CouldNotDecide(
            f"nobody can say what there is to sign: {' '.join(decided.decision.reasons)}",
            where=record.receipt.id,
            next_step="Mend that first",
        )


def refuse_role(name: str, roles: Sequence[str], role: str, *, where: str) -> None:
    """`BadRequest` if whoever has these roles does not have this one."""
    if role not in roles:
        held = f"has {', '.join(roles)}" if roles else "has no role"
        raise BadRequest(
            f"{name} does not have the role {role!a}, and {held}",
            where=where,
            next_step="Approve in another role, or ask for the role where the people are kept",
        )


def refuse_past(until: datetime, now: datetime) -> None:
    """`BadRequest` if a waiver until then would have expired already."""
    if until <= now:
        raise BadRequest("it would have expired already", where="--until", next_step="Name a later day")


def standing(entry: Predicate) -> Standing:
    """What would be revoked. `BadRequest` if the entry is neither approval nor waiver nor allow."""
    if isinstance(entry, ApprovalPredicate):
        return Standing(entry.id, Revocable.APPROVAL, entry.model, f"{entry.by}, as {entry.role}")
    if isinstance(entry, WaiverPredicate):
        return Standing(entry.id, Revocable.WAIVER, entry.model, f"{entry.by}, of {entry.rule}")
    if type(entry) is DecisionPredicate and entry.outcome is Outcome.ALLOW:
        asked = entry.input.request
        about = f"the allow to {asked.action.value} in {asked.environment}"
        return Standing(entry.id, Revocable.DECISION, model_of(entry.input), about)
    raise BadRequest(
        "this entry is no approval, no waiver and no allow",
        where=entry.id,
        next_step="See `mandate approvals SUBJECT`",
    )


def model_of(document: Input) -> ModelStated:
    """The artifact that would be signed. `BadRequest` if it has no digest."""
    subject = document.subject
    if subject.sha256 is None:
        raise BadRequest(
            "its artifact has no digest, so nothing says what would be signed",
            where=subject.uri,
            next_step="Run `mandate check` on a registered version",
        )
    return ModelStated(uri=subject.uri, name=subject.name, version=subject.version, sha256=subject.sha256)
