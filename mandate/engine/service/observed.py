"""The parts of a gate, each measured and traced: what is collected, what OPA says, what is recorded."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from ..decision import FindingOutcome, Judgement, Policy
from ..errors import NotRecorded
from ..evidence.predicates.decision import RequestKey
from ..evidence.receipt import Record
from ..gate import Evidence, Facts, Judge
from ..input import Input
from . import current
from .metrics import Metrics
from .tracing import Tracing


class Stages:
    """Measures how long a part of a decision takes, whatever becomes of it."""

    def __init__(self, metrics: Metrics, tracing: Tracing) -> None:
        self._seconds = {
            stage: metrics.stages.labels(stage) for stage in ("collect", "opa", "confirm", "record")
        }
        self._tracing = tracing

    @contextmanager
    def __call__(self, stage: str) -> Iterator[dict[str, Any]]:
        """Yields where attributes of the stage's span belong."""
        began = time.perf_counter()
        try:
            with self._tracing.stage(stage) as attributes:
                yield attributes
        finally:
            self._seconds[stage].observe(time.perf_counter() - began)


class ObservedFacts:
    """Facts, measured."""

    def __init__(self, facts: Facts, stages: Stages) -> None:
        self._facts = facts
        self._stages = stages

    def assemble(self, time: datetime) -> Input:
        """As the facts do."""
        with self._stages("collect"):
            return self._facts.assemble(time)

    def confirm(self, document: Input) -> None:
        """As the facts do."""
        with self._stages("confirm"):
            self._facts.confirm(document)


class ObservedJudge:
    """A judge, measured."""

    def __init__(self, judge: Judge, stages: Stages, answered: Callable[[], None]) -> None:
        self._judge = judge
        self._stages = stages
        self._answered = answered

    @property
    def policy(self) -> Policy:
        """The policies that are expected to judge."""
        return self._judge.policy

    def judge(self, document: Input) -> Judgement:
        """As the judge does."""
        with self._stages("opa") as attributes:
            judgement = self._judge.judge(document)
            attributes |= {"revision": judgement.policy.revision, "outcome": judgement.decision.outcome.value}
        self._answered()
        return judgement


class ObservedEvidence:
    """Evidence, measured: what is counted is what is on record."""

    def __init__(
        self, evidence: Evidence, stages: Stages, metrics: Metrics, recorded: Callable[[int], None]
    ) -> None:
        self._evidence = evidence
        self._stages = stages
        self._metrics = metrics
        self._recorded = recorded

    def latest(self) -> datetime:
        """As the evidence does."""
        return self._evidence.latest()

    def answered(self, request: RequestKey) -> Record | None:
        """As the evidence does."""
        if (record := self._evidence.answered(request)) is not None:
            current.decided(record.receipt.id, record.judgement.decision.outcome)
        return record

    def record(
        self, document: Input, judgement: Judgement, *, request: RequestKey | None, what_if: bool
    ) -> Record:
        """As the evidence does."""
        try:
            with self._stages("record") as attributes:
                record = self._evidence.record(document, judgement, request=request, what_if=what_if)
                decision = record.judgement.decision
                attributes |= {
                    "decision": record.receipt.id,
                    "index": record.receipt.index,
                    "outcome": decision.outcome.value,
                    "revision": record.judgement.policy.revision,
                }
        except NotRecorded:
            self._metrics.not_recorded.inc()
            raise
        current.decided(record.receipt.id, decision.outcome)
        self._recorded(record.receipt.index + 1)
        self._count(record)
        return record

    def _count(self, record: Record) -> None:
        asked, decision = record.document.request, record.judgement.decision
        self._metrics.outcomes.labels(
            decision.outcome, asked.action, asked.environment, str(record.what_if)
        ).inc()
        for finding in decision.findings:
            if finding.outcome is not FindingOutcome.PASSED:
                self._metrics.findings.labels(finding.rule, finding.outcome).inc()
