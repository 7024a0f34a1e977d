"""Breaking the glass: who may, with which reason, and for what it was broken already.

An object that is let in so is on record before it is, and so is who answers for it. Its Pods are made by
controllers in their own name: they pull and say the same, and are let in for a time.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from ...evidence.entries import ProvenEntries
from ...evidence.predicates.base import rfc3339_milliseconds
from ...evidence.predicates.break_glass import BREAK_GLASS_TYPE, BreakGlassPredicate, uri
from ...evidence.public_keys import PublicKey
from ...evidence.query import Query
from ...evidence.receipt import Receipt
from ...evidence.recorder import AlreadyRecorded
from ...evidence.standing import Ledger
from ...report.visible import visible
from ..metrics import Metrics
from ..settings import AdmissionSettings
from . import verdict
from .case import Case
from .governed import BREAK_GLASS, DIGEST, MODEL, Governed
from .verdict import Reason, Verdict

_log = logging.getLogger(__name__)
_LONGEST_REASON = 2000
_LOOKED_AT = 200


@dataclass(frozen=True, slots=True)
class Glass:
    """Lets objects in past the policies, for those who may and answer for it."""

    settings: AdmissionSettings
    ledger: Callable[[], Ledger]
    keys: Callable[[], Mapping[str, PublicKey]]
    state: Callable[..., Receipt]
    """Records an event: its predicate's class, and what it says."""
    clock: Callable[[], datetime]
    metrics: Metrics

    def verdict(self, case: Case) -> Verdict | None:
        """The verdict if the glass is broken for this object, or was for the workload that makes it."""
        reason = _reason(case.governed)
        if reason is None:
            return None
        user = case.asked.userInfo
        groups = tuple(sorted(set(self.settings.break_glass_groups) & set(user.groups)))
        if not groups or not self._believed(case):
            return self._broken_before(case, reason)
        said = f"Mandate: the policies were not asked; {user.username} answers for it: {reason}"
        if case.asked.dryRun:
            return verdict.allowed(said)
        entry = self._stated(case, reason, groups)
        self.metrics.break_glass.labels(case.environment).inc()
        _log.error(
            "the glass was broken",
            extra={
                "environment": case.environment,
                "object": visible(uri(case.environment, case.called), _LONGEST_REASON),
                "by": visible(user.username),
                "reason": visible(reason, _LONGEST_REASON),
                "entry": entry,
            },
        )
        return verdict.allowed(said, **{"break-glass": entry})

    def refused(self, case: Case) -> tuple[Reason, ...]:
        """Why the annotation does not help, if it is there."""
        if case.governed.annotation(BREAK_GLASS) is None:
            return ()
        if _reason(case.governed) is None:
            return (
                Reason(f"{BREAK_GLASS} needs a reason in words, of at most {_LONGEST_REASON} characters"),
            )
        if not self._believed(case):
            return (
                Reason(
                    f"{BREAK_GLASS}: nobody breaks glass through {case.caller}, "
                    "which is not in service.admission.break_glass_callers"
                ),
            )
        return (Reason(f"{BREAK_GLASS}: {case.asked.userInfo.username} is in no group that may break glass"),)

    def _believed(self, case: Case) -> bool:
        """Whether whoever calls may say who asks, and in which groups they are."""
        return case.caller in self.settings.break_glass_callers

    def _broken_before(self, case: Case, reason: str) -> Verdict | None:
        """For another object that pulls and says the same, in the same namespace, and not long ago."""
        since = self.clock() - timedelta(hours=self.settings.break_glass_hours)
        wanted = Query(kind=BREAK_GLASS_TYPE, environment=case.environment, since=rfc3339_milliseconds(since))
        ledger = self.ledger()
        proven = ProvenEntries(ledger, self.keys())
        same = (case.governed.sha256, case.asked.namespace)
        for stored in ledger.search(wanted, before=None, most=_LOOKED_AT).entries:
            found = proven.predicate(stored)
            assert isinstance(found, BreakGlassPredicate)  # noqa: S101  (a proven entry is of its kind)
            if (found.factsSha256, found.object.namespace) == same:
                said = f"Mandate: the glass was broken for this by {found.by}: {reason}"
                return verdict.allowed(said, **{"break-glass": str(stored.index)})
        return None

    def _stated(self, case: Case, reason: str, groups: tuple[str, ...]) -> str:
        """The index of the entry that says it: nobody is let in without one. One command is recorded once."""
        window = int(self.clock().timestamp() // self.settings.window_seconds)
        try:
            receipt = self.state(
                BreakGlassPredicate,
                environment=case.environment,
                object=case.called,
                factsSha256=case.governed.sha256,
                model=case.governed.annotation(MODEL),
                digest=case.governed.annotation(DIGEST),
                pulls=tuple(sorted({pull.reference for pull in case.governed.pulls})),
                by=case.user,
                groups=groups,
                through=case.caller,
                reason=reason,
                requestKey=f"break-glass:{case.sha256}:{window}",
            )
        except AlreadyRecorded as there:
            return str(there.index)
        return str(receipt.index)


def _reason(governed: Governed) -> str | None:
    """The reason that the object gives everywhere; `None` if it gives none that counts."""
    said = governed.annotation(BREAK_GLASS)
    if said is None or governed.contradictions() or not said.strip() or len(said) > _LONGEST_REASON:
        return None
    return said
