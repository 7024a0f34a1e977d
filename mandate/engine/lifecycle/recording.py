"""Puts acts on record: before, what is intended, and after, what became of it."""

from __future__ import annotations

from typing import Any

from ..evidence.predicates.acts import ActOutcome, Phase
from ..evidence.receipt import Receipt
from ..evidence.recorder import Recorder
from .effects import Seen
from .plans import Plan

_MOST = 2000
"""Characters of an error that are kept."""


def intent(recorder: Recorder, plan: Plan, registry: str, *, after: str | None) -> Receipt:
    """State what is intended; `after`: the id of the intent before it on this model.

    `AlreadyRecorded` if somebody else stated one meanwhile.
    """
    return recorder.event(
        plan.kind,
        **_common(plan, registry),
        phase=Phase.INTENT,
        moves=plan.moves,
        after=after,
        intent=None,
        outcome=None,
        observed=False,
        error=None,
    )


def result(recorder: Recorder, plan: Plan, registry: str, *, of: str, seen: Seen, observed: bool) -> Receipt:
    """State what became of the intent with the id `of`. `AlreadyRecorded` if somebody else did meanwhile."""
    return recorder.event(
        plan.kind,
        **_common(plan, registry),
        phase=Phase.RESULT,
        moves=seen.moves,
        after=None,
        intent=of,
        outcome=seen.outcome,
        observed=observed,
        error=(seen.error or "unknown")[:_MOST] if seen.outcome is ActOutcome.FAILED else None,
    )


def _common(plan: Plan, registry: str) -> dict[str, Any]:
    return {
        "registry": registry,
        "model": plan.model,
        "version": plan.version,
        "environment": plan.environment,
        "decision": plan.decision,
        "by": plan.by,
        "reason": plan.reason,
    }
