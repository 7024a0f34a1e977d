"""The log held against the registry.

1. Intents without a result get one, from what the registry shows.
2. An alias that names another version than the log says was moved by nobody who recorded it.

Of what happened in between nothing can be said: MLflow keeps no history of aliases. One that was moved away
and back is where the log says it is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from ..errors import MandateError
from ..evidence.predicates.acts import Move, VersionStated
from ..evidence.predicates.alias_move import AliasMovePredicate
from ..evidence.public_keys import PublicKey
from ..evidence.receipt import Receipt
from ..evidence.recorder import AlreadyRecorded, Recorder
from . import effects, recording
from .course import Course, Intent, Ledger, course
from .effects import Seen
from .plans import Plan
from .registry import Registry


@dataclass(frozen=True, slots=True)
class Settled:
    """An act that was cut off, and what became of it."""

    intent: Intent
    seen: Seen
    result: Receipt


@dataclass(frozen=True, slots=True)
class Unexplained:
    """An alias that no entry explains."""

    model: str
    move: Move
    """From what the log says to what the registry says."""


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What was found."""

    settled: tuple[Settled, ...]
    under_way: tuple[Intent, ...]
    """Acts that began so lately that they may still be going on."""
    unexplained: tuple[Unexplained, ...]

    def only(self, aliases: Collection[str]) -> Reconciled:
        """The same, with the moves of these aliases only; with all of them if none is named."""
        moves = (each for each in self.unexplained if not aliases or each.move.alias in aliases)
        return replace(self, unexplained=tuple(moves))


def reconcile(
    registry: Registry,
    recorder: Recorder,
    store: Ledger,
    keys: Mapping[str, PublicKey],
    *,
    before: datetime,
    by: str,
) -> Reconciled:
    """Settle the acts that began before that instant, and find the moves that nothing explains.

    `RegistryUnavailable` or `NotRecorded` if nobody can say, or write it down.
    """
    settled = tuple(
        _settled(course(store, keys, registry.location), registry, recorder, before=before, by=by)
    )
    now = course(store, keys, registry.location)
    return Reconciled(settled, tuple(now.under_way.values()), _unexplained(now, registry))


def _settled(
    course: Course, registry: Registry, recorder: Recorder, *, before: datetime, by: str
) -> Iterator[Settled]:
    for intent in course.under_way.values():
        if intent.predicate.recordedAt >= before:
            continue
        plan = replace(Plan.of(intent.predicate), by=by)
        seen = effects.seen(plan, intent.predicate.id, registry)
        with suppress(AlreadyRecorded):  # by whoever was slow, or by another one who reconciles
            result = recording.result(
                recorder, plan, registry.location, of=intent.predicate.id, seen=seen, observed=True
            )
            yield Settled(intent, seen, result)


def _unexplained(course: Course, registry: Registry) -> tuple[Unexplained, ...]:
    """The aliases of all models that are not where the log says, but for those that may be moving now."""
    moving = {
        (intent.predicate.model, move.alias)
        for intent in course.under_way.values()
        for move in intent.predicate.moves
    }
    now = {
        (model, alias): version for model, aliases in registry.models() for alias, version in aliases.items()
    }
    found = []
    for model, alias in sorted((now.keys() | course.aliases.keys()) - moving):
        said = course.aliases.get((model, alias))
        version = now.get((model, alias))
        if version != (None if said is None else said.version):
            there = None if version is None else _stated(model, version, course)
            found.append(Unexplained(model, Move(alias=alias, fromVersion=said, toVersion=there)))
    return tuple(found)


def explain(
    moves: tuple[Unexplained, ...], registry: Registry, recorder: Recorder, *, by: str, reason: str
) -> tuple[Receipt, ...]:
    """Put the moves on record as what was found, with the artifacts' digests as they are now."""
    return tuple(
        recorder.event(
            AliasMovePredicate,
            basis="observed",
            registry=registry.location,
            model=each.model,
            move=_digested(each, registry),
            movedBy=None,
            decision=None,
            by=by,
            reason=reason,
        )
        for each in moves
    )


def _stated(model: str, version: str, course: Course) -> VersionStated:
    return VersionStated(version=version, sha256=course.digests.get((model, version)))


def _digested(found: Unexplained, registry: Registry) -> Move:
    version = found.move.toVersion
    if version is None:
        return found.move
    sha256 = None
    with suppress(MandateError):  # what cannot be digested is stated by its name
        sha256 = registry.digest(f"models:/{found.model}/{version.version}")
    return found.move.model_copy(update={"toVersion": VersionStated(version=version.version, sha256=sha256)})
