"""What people approved, waived and revoked, as the log has it: facts for policies, which judge them.

Each entry is verified before it is believed: its signature by the keys that the policies of its time gave the
person, its digests and its columns. Whether the key is theirs still, and the role, is for policies to say.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from ..errors import BadInput, BadRequest
from ..input.people import Approval, ShownFinding, Waiver
from . import envelope as dsse
from . import reading, statement
from .entries import ProvenEntries
from .ledger import Reader, Stored
from .predicates.approval import APPROVAL_TYPE, ApprovalPredicate
from .predicates.decision import DECISION_TYPE
from .predicates.personal import FindingsShown, ModelStated, PersonalPredicate, findings_sha256
from .predicates.revocation import REVOCATION_TYPE, RevocationPredicate
from .predicates.waiver import WAIVER_TYPE, WaiverPredicate
from .public_keys import PublicKey, keys_of
from .query import MOST, Query, Searchable
from .receipt import Record


class Log(Reader, Searchable, Protocol):
    """A ledger that can be read and looked through."""


@dataclass(frozen=True, slots=True)
class Said:
    """Something that a person signed, on record."""

    index: int
    keyid: str | None
    """`None` if nobody can tell any more whose key it was: the policies of that time are gone."""
    predicate: PersonalPredicate


class Consents:
    """Reads one ledger; `keys` are those whose signatures count."""

    def __init__(self, log: Log, keys: Mapping[str, PublicKey]) -> None:
        self._log = log
        self._keys = keys
        self._proven = ProvenEntries(log, keys)
        self._shown: dict[tuple[FindingsShown, str], tuple[ShownFinding, ...]] = {}

    @property
    def location(self) -> str:
        """Where the ledger is."""
        return self._log.location

    def approvals(self, model: str, version: str) -> tuple[Approval, ...]:
        """All approvals of a model version, also those that were revoked, in the order of the log.

        `NotRecorded` if one of them is not what was recorded.
        """
        revoked = self.revoked(model, version)
        return tuple(
            Approval(
                approver=predicate.by,
                role=predicate.role,
                subject_sha256=predicate.model.sha256,
                approved_at=predicate.recordedAt,
                reference=predicate.reference or "",
                entry=predicate.id,
                index=said.index,
                keyid=said.keyid,
                decision=predicate.shown.decision,
                shown=self._findings(predicate.shown, predicate.model),
                revoked_by=revoked.get(predicate.id),
            )
            for said in self.said(APPROVAL_TYPE, model, version)
            if isinstance(predicate := said.predicate, ApprovalPredicate)
        )

    def waivers(self, model: str, version: str) -> tuple[Waiver, ...]:
        """All waivers for a model version, as `approvals` has them."""
        revoked = self.revoked(model, version)
        return tuple(
            Waiver(
                id=predicate.id,
                rule=predicate.rule,
                subject_sha256=predicate.model.sha256,
                approver=predicate.by,
                reason=predicate.reason,
                reference=predicate.reference,
                effective_on=predicate.effectiveOn,
                expires=predicate.expires,
                index=said.index,
                keyid=said.keyid,
                revoked_by=revoked.get(predicate.id),
            )
            for said in self.said(WAIVER_TYPE, model, version)
            if isinstance(predicate := said.predicate, WaiverPredicate)
        )

    def revoked(self, model: str, version: str) -> dict[str, str]:
        """By the id of what was revoked, who did so and where: whatever comes later, it stays so."""
        return {
            predicate.revoked.entry: f"{predicate.by}, in entry {said.index},"
            for said in self.said(REVOCATION_TYPE, model, version)
            if isinstance(predicate := said.predicate, RevocationPredicate)
        }

    def said(self, kind: str, model: str, version: str) -> Iterator[Said]:
        """What people signed of one kind on a model version, in the order of the log."""
        found: list[Stored] = []
        before: int | None = None
        while True:
            page = self._log.search(Query(kind=kind, model=model, version=version), before=before, most=MOST)
            found += page.entries
            if (before := page.before) is None:
                break
        for stored in sorted(found, key=lambda each: each.index):
            yield self._read(stored)

    def _read(self, stored: Stored) -> Said:
        unverified = _unverified(stored)
        if unverified is not None and not keys_of(self._keys, unverified.signer):
            return Said(stored.index, None, unverified)
        predicate, (keyid, *_) = self._proven.signed(stored)
        assert isinstance(predicate, PersonalPredicate)  # noqa: S101  (its column, which was held against it)
        return Said(stored.index, keyid, predicate)

    def _findings(self, shown: FindingsShown, model: ModelStated) -> tuple[ShownFinding, ...]:
        """The findings that were shown; none where they are not those of the artifact, or cannot be read."""
        key = shown, model.sha256
        if key not in self._shown:
            try:
                record = reading.find(self._log, shown.decision, self._keys)
            except BadRequest:
                return ()
            decision = record.judgement.decision
            same = record.document.subject.sha256 == model.sha256
            is_it = same and findings_sha256(decision) == shown.findingsSha256
            self._shown[key] = decision.shown if is_it else ()
        return self._shown[key]


def newest_decision(
    log: Log,
    keys: Mapping[str, PublicKey],
    model: tuple[str, str, str],
    question: tuple[str, str, str],
) -> Record | None:
    """The newest decision about a model (name, version and digest) on a question (action, environment and the
    policies' revision); `None` if there is none. `NotRecorded` if it is damaged."""
    name, version, sha256 = model
    action, environment, revision = question
    wanted = Query(
        kind=DECISION_TYPE,
        model=name,
        version=version,
        sha256=sha256,
        action=action,
        environment=environment,
        revision=revision,
    )
    for stored in log.search(wanted, before=None, most=1).entries:
        return reading.read(stored, log, keys)
    return None


def _unverified(stored: Stored) -> PersonalPredicate | None:
    """What the entry says, proven by nothing; `None` if that cannot be read."""
    try:
        predicate = statement.read(dsse.parse(stored.envelope or b"").payload).predicate
    except BadInput:
        return None
    return predicate if isinstance(predicate, PersonalPredicate) else None
