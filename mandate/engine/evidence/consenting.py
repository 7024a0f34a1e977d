"""Signs and records what somebody approves, waives or revokes, if it can count at all.

What is refused here would be refused by the policies as well, which judge it anew for each decision: a person
should hear of it before signing, and not at the next denial.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ..errors import BadRequest
from ..input.document import Input
from ..input.people import Approval, normal
from ..nearest import advice
from .consents import Consents
from .envelope import Envelope
from .keys import Signer
from .predicates.base import Predicate
from .predicates.personal import ModelStated
from .public_keys import PublicKey, keyring
from .receipt import Receipt, Record
from .recorder import Recorder
from .signatory import Signatory, Standing, model_of, refuse_past, refuse_role, standing


@dataclass(frozen=True, slots=True)
class Policies:
    """What the policies in use say of people, rules and waivers: parts of `data.mandate`."""

    revision: str
    people: Mapping[str, Mapping[str, Any]]
    catalogue: Mapping[str, Mapping[str, Any]]
    longest_days: int | None
    """The most that any waiver may last."""
    waiving: frozenset[str]
    """Roles that may waive, anywhere."""

    def holder(self, keyid: str) -> Mapping[str, Any] | None:
        """Whose key it is; `None` if it is nobody's."""
        return next((person for person in self.people.values() if keyid in person["keys"]), None)


class Entitled:
    """One person, and what they may sign: whatever else they sign cannot count."""

    def __init__(
        self,
        person: Mapping[str, Any],
        *,
        policies: Policies,
        consents: Consents,
        clock: Callable[[], datetime],
    ) -> None:
        """`person`: as the policies have them."""
        self._person = person
        self._policies = policies
        self._consents = consents
        self._clock = clock

    @property
    def name(self) -> str:
        """Who signs."""
        return str(self._person["name"])

    def check_approval(self, record: Record, role: str) -> None:
        """`BadRequest` if this person's approval in this role could not count."""
        refuse_role(self.name, self._person["roles"], role, where=str(self._person["set_at"]))
        model = model_of(record.document)
        self._refuse_authors(record.document)
        for given in self.approvals(model):
            if given.role != role:
                raise BadRequest(
                    f"{self.name} approved it already as {given.role}, and one person fills one role",
                    where=f"{self._consents.location}, entry {given.index}",
                    next_step=f"Leave {role} to somebody else, or revoke that approval first",
                )

    def approvals(self, model: ModelStated) -> list[Approval]:
        """This person's approvals of the artifact that nobody revoked."""
        return [
            each
            for each in self._consents.approvals(model.name, model.version)
            if each.approver == self.name and each.subject_sha256 == model.sha256 and not each.revoked_by
        ]

    def check_waiver(self, record: Record, rule: str, until: datetime) -> None:
        """`BadRequest` if this person's waiver of the rule, or `rule:term`, could not count."""
        name, colon, term = rule.partition(":")
        catalogue = self._policies.catalogue
        if name not in catalogue or (colon and not term):
            raise BadRequest(f"there is no rule {rule!a}", where="RULE", next_step=advice(name, [*catalogue]))
        if not catalogue[name]["waivable"]:
            raise BadRequest(f"the rule {name} cannot be waived", where="RULE", next_step="Satisfy the rule")
        if not self._policies.waiving.intersection(self._person["roles"]):
            raise BadRequest(
                f"{self.name} has no role that may waive",
                where=str(self._person["set_at"]),
                next_step=f"Ask somebody who is {' or '.join(sorted(self._policies.waiving)) or 'entitled'}",
            )
        now, longest = self._clock(), self._policies.longest_days
        refuse_past(until, now)
        if longest is None or until - now > timedelta(days=longest):
            most = "nothing says how long any may" if longest is None else f"{longest} days are the most"
            raise BadRequest(
                f"the waiver would last {(until - now).days} days, and {most}",
                where="--until",
                next_step="Let it expire earlier, and answer for it anew then",
            )
        self._refuse_authors(record.document)

    def revocable(self, entry: Predicate) -> Standing:
        """What would be revoked. `BadRequest` if the entry is neither approval nor waiver nor allow, or was
        revoked already."""
        found = standing(entry)
        model = found.model
        if said := self._consents.revoked(model.name, model.version).get(entry.id):
            raise BadRequest(f"{said} revoked it already", where=entry.id)
        return found

    def _refuse_authors(self, document: Input) -> None:
        authors = {
            normal(name)
            for developer in document.developers or ()
            for name in (developer.name, *developer.identities)
        }
        if document.model is not None and document.model.source.user:
            authors.add(normal(document.model.source.user))
        if also := sorted(authors & {self.name, *self._person["identities"]}):
            raise BadRequest(
                f"{self.name} is an author of the model"
                + (f", by the name {also[0]}" if also[0] != self.name else ""),
                where=document.subject.uri,
                next_step="Ask somebody who did not make it",
            )


class Consenting(Entitled):
    """One person, who signs with `signer`, for one ledger."""

    def __init__(
        self,
        *,
        origin: str,
        signer: Signer,
        policies: Policies,
        consents: Consents,
        recorder: Recorder,
        clock: Callable[[], datetime],
    ) -> None:
        """`BadRequest` if the key is of nobody that the policies know."""
        person = _known(signer.public_key, policies)
        super().__init__(person, policies=policies, consents=consents, clock=clock)
        self._who = Signatory(str(person["name"]), signer, origin, policies.revision, clock)
        self._recorder = recorder

    @property
    def keyid(self) -> str:
        """With which key."""
        return self._who.keyid

    def approve(
        self, record: Record, role: str, *, reference: str | None = None, reason: str | None = None
    ) -> Receipt:
        """Consent to the artifact of a recorded decision, for the findings in it."""
        self.check_approval(record, role)
        return self._admit(self._who.approval(record, role, reference=reference, reason=reason))

    def waive(self, record: Record, rule: str, *, until: datetime, reason: str, reference: str) -> Receipt:
        """Answer for a violation by the artifact of a recorded decision, from now until then."""
        self.check_waiver(record, rule, until)
        return self._admit(self._who.waiver(record, rule, until=until, reason=reason, reference=reference))

    def revoke(self, entry: Predicate, *, reason: str) -> Receipt:
        """Take back an approval, a waiver, or an allow."""
        return self._admit(self._who.revocation(self.revocable(entry), reason=reason))

    def _admit(self, envelope: Envelope) -> Receipt:
        return self._recorder.admit(envelope, keyring(self._who.signer.public_key))


def _known(key: PublicKey, policies: Policies) -> Mapping[str, Any]:
    if (person := policies.holder(key.keyid)) is None:
        raise BadRequest(
            f"the key {key.keyid} is of nobody that the policies know",
            where="--key",
            next_step=f"Let your entry in people/*.yaml have the key {key.ssh}",
        )
    return person
