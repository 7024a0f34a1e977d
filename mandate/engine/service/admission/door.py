"""The door of the cluster: one review in, one verdict out.

    1. What ends        a deletion, an object that is being deleted                      allowed
    2. What it is       a kind that somebody knows, or nobody can say what it pulls      denied
    3. What changed     an update of nothing that is governed                            allowed
    4. Breaking glass   by somebody who may, with a reason                               allowed, on record
    5. What it claims   one model version and a digest, which what it pulls carries      denied if not
    6. May it run       a Pod: an allow stands; a workload: recorded facts, judged now   as it is

Whatever is not proven is not allowed.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from ...decision import Outcome
from ...errors import BadRequest, UnknownSubject
from ...evidence import standing
from ...evidence.columns import Columns
from ...evidence.examinations import Examinations
from ...evidence.predicates.break_glass import uri
from ...evidence.predicates.decision import RequestKey
from ...evidence.public_keys import PublicKey
from ...evidence.receipt import Record
from ...evidence.standing import Ledger, Standing
from ...gate import Facts, Gate
from ...input import Action
from ...recorded_facts import RecordedFacts
from ..settings import AdmissionSettings
from . import claims, extractors, verdict
from .case import Case
from .claims import ModelClaim, NoModel
from .extractors.kind import Kind
from .glass import Glass
from .governed import Governed, NotUnderstood
from .no_model import NoModelFacts
from .review import AdmissionRequest
from .verdict import Reason, Verdict

_log = logging.getLogger(__name__)
_UNKNOWN_TIER = "unknown"
_LONGEST_NAME = 400


@dataclass(frozen=True, slots=True)
class Door:
    """Decides what may be stored, over parts that somebody else puts together."""

    settings: AdmissionSettings
    gate: Callable[[], Gate]
    ledger: Callable[[], Ledger]
    keys: Callable[[], Mapping[str, PublicKey]]
    glass: Glass
    environment: Callable[[str], str]
    """The environment, if the policies know it; else `BadRequest`."""
    risk_tier_of: Callable[[str], str | None]
    """What the settings say of a model; `None` if they say nothing."""
    revision: Callable[[], str]
    """Of the policies in use."""
    clock: Callable[[], datetime]
    examined: Examinations = field(default_factory=Examinations)

    def judge(self, environment: str, asked: AdmissionRequest, caller: str) -> Verdict:
        """The verdict on a request that `caller` makes in the API server's name. `CouldNotDecide` if nobody
        can say."""
        try:
            self.environment(environment)
        except BadRequest as error:
            return verdict.bad_request(error.what, "Correct the path in the webhook's configuration")
        kind = extractors.of(asked.kind.group, asked.kind.kind)
        found = _governed(asked, kind)  # 1, 2, 3
        if isinstance(found, Verdict):
            return found
        case = Case(environment, asked, found, caller)
        let_in = self.glass.verdict(case)  # 4
        return let_in or self._claimed(case, is_pod=kind is not None and kind.is_pod)

    def _claimed(self, case: Case, *, is_pod: bool) -> Verdict:
        claim = claims.read(case.governed)  # 5
        if isinstance(claim, tuple):
            next_step = f"Correct the {case.asked.kind.kind} as the reasons say, then apply it again"
            return verdict.denied(*claim, *self.glass.refused(case), next_step=next_step)
        if isinstance(claim, NoModel):
            return _explained(self._decided(case, self._no_model(case), ()))
        others = tuple(self._others(case, claim))
        if is_pod:  # 6
            return self._looked_up(case, claim, others)
        return self._decided(case, self._recorded(case, claim), others)

    def standing(self, environment: str, sha256: str, claim: ModelClaim | None = None) -> Standing:
        """What stands for this digest, and for the version that is claimed, if one is."""
        return standing.look_up(
            self.ledger(),
            self.keys(),
            sha256=sha256,
            environment=environment,
            now=self.clock(),
            model=None if claim is None else claim.name,
            version=None if claim is None else claim.version,
            examined=self.examined,
        )

    def _looked_up(self, case: Case, claim: ModelClaim, others: tuple[Reason, ...]) -> Verdict:
        """A Pod: the decision was made when its workload, or the model's promotion, was asked about."""
        found = self.standing(case.environment, claim.sha256, claim)
        decision = "" if found.record is None else found.record.receipt.id
        if found.allowed and found.record is not None and not others:
            return verdict.allowed(decision=decision, **_audit(found.record))
        reasons = () if found.allowed else (Reason(found.reason, "mandate.standing"),)
        next_step = f"mandate check models:/{claim.name}/{claim.version} --environment {case.environment}"
        return verdict.denied(
            *reasons, *others, *self.glass.refused(case), next_step=next_step, decision=decision
        )

    def _others(self, case: Case, claim: ModelClaim) -> list[Reason]:
        """Other models that are pulled beside the one that is named, and for which no allow stands."""
        reasons = []
        for sha256, path in claim.others:
            found = self.standing(case.environment, sha256)
            if not found.allowed:
                reasons.append(Reason(f"{path} is another model: {found.reason}", "mandate.standing", path))
        return reasons

    def _decided(self, case: Case, facts: Facts, others: tuple[Reason, ...]) -> Verdict:
        """A decision under today's policies, on record unless the API server only tries out."""
        gate = self.gate()
        try:
            if case.asked.dryRun:
                answer = gate.rehearse(facts)
            else:
                answer = gate.decide(facts, request=self._request(case))
        except UnknownSubject as error:
            reason = Reason(error.what, "mandate.standing")
            return verdict.denied(reason, *others, *self.glass.refused(case), next_step=error.next_step)
        refused = () if answer.outcome is Outcome.ALLOW else self.glass.refused(case)
        return verdict.of(answer, (*others, *refused))

    def _request(self, case: Case) -> RequestKey:
        """One key for the same facts of the same object by the same policies within a window, and the one
        before: kubectl calls up to four times for one command. What was undecided is decided anew, and what
        was allowed and does not stand any more."""
        seconds = self.settings.window_seconds
        window = int(self.clock().timestamp() // seconds)
        ledger, key = self.ledger(), ""
        same = f"admission:{case.sha256}:{self.revision()}"
        for start in (window - 1, window):
            attempts = (f"{same}:{start}:{number}" for number in itertools.count())
            while (stored := ledger.requested(key := next(attempts))) is not None:
                if self._stands(stored.columns, case.environment):
                    return RequestKey(key=key, sha256=case.sha256)
        return RequestKey(key=key, sha256=case.sha256)

    def _stands(self, decided: Columns, environment: str) -> bool:
        """Whether what was decided a moment ago is still so: nothing has ended the allow that it was."""
        if decided.outcome != Outcome.ALLOW.value or decided.sha256 is None:
            return decided.outcome != Outcome.UNDECIDED.value
        return self.standing(environment, decided.sha256).allowed

    def _recorded(self, case: Case, claim: ModelClaim) -> Facts:
        return RecordedFacts(
            self.ledger(),
            self.keys(),
            model=claim.name,
            version=claim.version,
            sha256=claim.sha256,
            action=Action.DEPLOY,
            environment=case.environment,
            requested_by=case.by,
            risk_tier_of=self.risk_tier_of,
            examined=self.examined,
        )

    def _no_model(self, case: Case) -> Facts:
        return NoModelFacts(
            uri(case.environment, case.called)[:_LONGEST_NAME],
            environment=case.environment,
            requested_by=case.by,
            risk_tier=self.risk_tier_of("none") or _UNKNOWN_TIER,
        )


def _governed(asked: AdmissionRequest, kind: Kind | None) -> Governed | Verdict:
    """What is governed of the object; a verdict where nothing more has to be asked."""
    if asked.operation == "DELETE" or _is_ending(asked):
        return verdict.allowed()
    if kind is None or asked.object is None:
        return _unknown(asked)
    try:
        governed = kind.extract(asked.object)
    except NotUnderstood as error:
        return verdict.denied(Reason(str(error)), next_step=f"Correct the {asked.kind.kind}")
    same = asked.operation == "UPDATE" and _facts(kind, asked.oldObject) == governed
    return verdict.allowed() if same else governed


def _is_ending(asked: AdmissionRequest) -> bool:
    """Whether the object is being deleted already: only finalizers change. A new one cannot be."""
    return asked.operation == "UPDATE" and bool(asked.metadata.get("deletionTimestamp"))


def _facts(kind: Kind, found: dict[str, Any] | None) -> Governed | None:
    try:
        return None if found is None else kind.extract(found)
    except NotUnderstood:
        return None


def _unknown(asked: AdmissionRequest) -> Verdict:
    named = f"{asked.kind.kind}.{asked.kind.group}" if asked.kind.group else asked.kind.kind
    text = f"nobody knows what a {named} pulls" if asked.object is not None else f"there is no {named} in it"
    return verdict.denied(
        Reason(text), next_step="Use a kind that Mandate knows, or take this one out of the webhook's rules"
    )


def _explained(judged: Verdict) -> Verdict:
    """With a word on what the rules for models have to do with an object that is said to run none."""
    if judged.kind is not verdict.Kind.DENIED:
        return judged
    first = (
        "Name the model that runs there; if none does, whoever keeps the policies selects rules for `none`"
    )
    return replace(judged, next_step=f"{first} ({judged.next_step})")


def _audit(record: Record) -> Mapping[str, str]:
    return {
        "policy-revision": record.judgement.policy.revision,
        "log-index": str(record.receipt.index),
    }
