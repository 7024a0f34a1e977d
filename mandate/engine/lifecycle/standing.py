"""Whether a recorded decision allows a model version still."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..decision import Outcome
from ..evidence import reading
from ..evidence.consents import Consents
from ..evidence.predicates.decision import DECISION_TYPE
from ..evidence.public_keys import PublicKey
from ..evidence.query import MOST, Query
from ..evidence.receipt import Record
from ..input.subject import Action
from .course import Course, Ledger


@dataclass(frozen=True, slots=True)
class Standing:
    """The decision that allows it, or why there is none."""

    record: Record | None
    why_not: str = ""
    """One clause; empty if there is a decision."""


def standing(
    store: Ledger, keys: Mapping[str, PublicKey], course: Course, *, uri: str, sha256: str, environment: str
) -> Standing:
    """The newest allow to promote this very artifact in this environment.

    It no longer stands if a later decision denied the artifact there, whatever was asked, if the version was
    retired since, or if somebody revoked it. Undecided answers say nothing, and what-if runs are of another
    kind. `NotRecorded` if a decision on the way is damaged.
    """
    query, before = Query(kind=DECISION_TYPE, sha256=sha256, environment=environment), None
    while True:
        page = store.search(query, before=before, most=MOST)
        for stored in page.entries:
            record = reading.read(stored, store, keys)
            if record.document.subject.uri != uri:
                continue
            outcome = record.judgement.decision.outcome
            if outcome is Outcome.DENY:
                return Standing(None, f"entry {stored.index} denies it")
            if outcome is Outcome.ALLOW and record.document.request.action is Action.PROMOTE:
                return _unless_withdrawn(record, course, Consents(store, keys))
        if (before := page.before) is None:
            return Standing(None, f"nothing on record allows it in {environment}")


def _unless_withdrawn(record: Record, course: Course, consents: Consents) -> Standing:
    subject = record.document.subject
    if said := consents.revoked(subject.name, subject.version).get(record.receipt.id):
        return Standing(None, f"{said} revoked what allowed it")
    retired = course.retired.get((subject.name, subject.version), -1)
    if retired > record.receipt.index:
        return Standing(None, f"it was retired in entry {retired}, after it was allowed")
    return Standing(record)
