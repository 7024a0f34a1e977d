"""The gate: one question in, one recorded answer out.

    1. Collect     each collector returns its sections, or why not          `Facts.assemble`
    2. Assemble    the sections form one `Input`                            `Facts.assemble`
    3. Ask         one query to OPA                                         `Judge.judge`
    4. Refuse      what is not an answer of the expected policies           `Judge.judge`
    5. Decide      the answer is a `Decision`, and the subject is still it  `Judge.judge`, `Facts.confirm`
    6. Record      signed and durable                                       `Evidence.record`
    7. Answer      only now

The gate knows interfaces only. Whatever keeps it from an answer becomes *undecided*, which is recorded as
well; if recording is what fails, the answer is undecided too, whatever the policies said.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from .decision import Decision, Judgement, Outcome, Policy
from .errors import CouldNotDecide
from .evidence.predicates.decision import RequestKey
from .evidence.receipt import Receipt, Record
from .input import Input

_log = logging.getLogger(__name__)

_CLOCKS_DIFFER = timedelta(minutes=5)
"""By how much the clocks of machines that share a ledger may differ."""


class Facts(Protocol):
    """What is known about one subject, for one question."""

    def assemble(self, time: datetime) -> Input:
        """The input document, asked about at `time`. `BadRequest` if the question makes no sense."""

    def confirm(self, document: Input) -> None:
        """Return if the subject is still what `document` says it is; else `SubjectChanged`."""


class Judge(Protocol):
    """Whoever applies the policies."""

    @property
    def policy(self) -> Policy:
        """The policies that are expected to judge."""

    def judge(self, document: Input) -> Judgement:
        """The decision on `document`. `CouldNotDecide` for everything that is not one."""


class Evidence(Protocol):
    """Whoever keeps the decisions."""

    def latest(self) -> datetime:
        """The latest time on record. `NotRecorded` if nobody can say."""

    def answered(self, request: RequestKey) -> Record | None:
        """The decision that answers this request already. `BadRequest` if its key was used for another one;
        `NotRecorded` if nobody can say."""

    def record(
        self, document: Input, judgement: Judgement, *, request: RequestKey | None, what_if: bool
    ) -> Record:
        """Sign and store durably, then return. `NotRecorded` if that did not happen.

        The record is another one if the request was answered meanwhile.
        """


@dataclass(frozen=True, slots=True)
class Answer:
    """What the caller is told."""

    document: Input
    judgement: Judgement
    receipt: Receipt | None
    """`None` if the decision could not be recorded, and then it is undecided; or if it was rehearsed only."""
    what_if: bool = False
    """Whether it only says what would be decided."""

    @property
    def decision(self) -> Decision:
        """What was decided, and why."""
        return self.judgement.decision

    @property
    def outcome(self) -> Outcome:
        """Allow, deny or undecided."""
        return self.decision.outcome


class Gate:
    """Decides whether a model may pass."""

    def __init__(self, judge: Judge, evidence: Evidence, clock: Callable[[], datetime]) -> None:
        self._judge = judge
        self._evidence = evidence
        self._clock = clock

    def decide(self, facts: Facts, *, request: RequestKey | None = None, what_if: bool = False) -> Answer:
        """Answer one question. `BadRequest` where there was nothing to decide; all else is an answer.

        A `request` that was answered before gets that answer again. `what_if`: what would be decided, which
        is recorded as no more than that.
        """
        time, fault = self._time()
        try:
            if request is not None and (record := self._evidence.answered(request)) is not None:
                return Answer(record.document, record.judgement, record.receipt, record.what_if)
        except CouldNotDecide as error:
            fault = fault or error
        document = facts.assemble(time)  # 1, 2
        if document.request.what_if and not what_if:
            # In a what-if, approvals count that nobody signed: nothing real may come of them.
            fault = fault or CouldNotDecide(
                "the facts were gathered for a what-if", next_step="Ask what would be decided, or ask anew"
            )
        judgement = self._undecided(fault) if fault else self._judged(document, facts)  # 3, 4, 5
        try:
            record = self._evidence.record(document, judgement, request=request, what_if=what_if)  # 6
        except CouldNotDecide as error:
            _log.error("a decision could not be recorded")
            return Answer(document, self._undecided(error), receipt=None)
        answer = Answer(record.document, record.judgement, record.receipt, record.what_if)  # 7
        _log.info(
            "decided",
            extra={
                "outcome": answer.outcome,
                "decision": record.receipt.id,
                "index": record.receipt.index,
            },
        )
        return answer

    def rehearse(self, facts: Facts) -> Answer:
        """What `decide` would answer now; it is on record nowhere, so nobody may act on it."""
        time, fault = self._time()
        document = facts.assemble(time)
        judgement = self._undecided(fault) if fault else self._judged(document, facts)
        return Answer(document, judgement, receipt=None, what_if=True)

    def _judged(self, document: Input, facts: Facts) -> Judgement:
        try:
            judgement = self._judge.judge(document)
            if judgement.decision.outcome is Outcome.ALLOW:
                # Between collecting and now, an alias may have moved or a file been replaced: an allow for
                # what was collected is no allow for what is there now. A denial stays one, with its reasons.
                facts.confirm(document)
        except CouldNotDecide as error:
            return self._undecided(error)
        return judgement

    def _time(self) -> tuple[datetime, CouldNotDecide | None]:
        """What the clock says, and why nothing can be decided, if it was set back.

        Rules that deny by now would only warn, and what has expired would count again.
        """
        try:
            latest = self._evidence.latest()  # before the clock is read: others may record meanwhile
        except CouldNotDecide as error:
            return self._clock(), error
        now = self._clock()
        if now >= latest - _CLOCKS_DIFFER:
            return now, None
        return now, CouldNotDecide(
            f"it says {_shown(now)}, but something is on record of {_shown(latest)}",
            where="the clock of this machine",
            next_step="Set the clock; if it is right and the record is wrong, begin another ledger",
        )

    def _undecided(self, error: CouldNotDecide) -> Judgement:
        return Judgement(decision=Decision.undecided(str(error)), policy=self._judge.policy, opa_version=None)


def _shown(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
