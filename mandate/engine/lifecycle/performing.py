"""Does what was planned, with a record before and after.

1. Nothing else is under way on the model, and nothing was left in the middle.
2. The registry is as it was when the act was planned.
3. The intent is recorded. Of two who come here at once, one is refused.
4. The registry is changed, each alias only if it still names what it named.
5. The registry is asked what it says now.
6. The result is recorded.

Whoever is killed between 3 and 6 leaves an intent without a result, which `reconciling` settles. An alias
cannot be moved on a condition in MLflow: what somebody else changes between the last look and the move, a few
milliseconds, is overwritten.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ..errors import MandateError, NotRecorded, RegistryUnavailable, SubjectChanged, UnderWay
from ..evidence.predicates.acts import ActOutcome, Move
from ..evidence.public_keys import PublicKey
from ..evidence.receipt import Receipt
from ..evidence.recorder import AlreadyRecorded, Recorder
from . import effects, recording
from .course import Course, Intent, Ledger, course
from .effects import Seen
from .plans import Plan
from .registry import Registry
from .standing import Standing, standing

_RECONCILE = "run `mandate ledger reconcile`"


@dataclass(frozen=True, slots=True)
class Performed:
    """What became of a plan."""

    plan: Plan
    intent: Receipt
    result: Receipt | None
    """`None` if nobody can say what became of it."""
    seen: Seen | None
    error: MandateError | None
    """Why it is not done, or not on record."""

    @property
    def moves(self) -> tuple[Move, ...]:
        """The aliases that moved, as far as is known."""
        return () if self.seen is None else self.seen.moves


class Lifecycle:
    """Acts on the models of one registry, recorded in one ledger."""

    def __init__(
        self, registry: Registry, recorder: Recorder, store: Ledger, keys: Mapping[str, PublicKey]
    ) -> None:
        """`store` is the ledger that `recorder` records in; `keys` are those whose signatures count there."""
        self._registry = registry
        self._recorder = recorder
        self._store = store
        self._keys = keys

    def course(self, model: str | None = None) -> Course:
        """Where the acts so far have led, or those on one model."""
        return course(self._store, self._keys, self._registry.location, model=model)

    def standing(self, course: Course, *, uri: str, sha256: str, environment: str) -> Standing:
        """The recorded decision that allows the version still; `course` is that of its model."""
        return standing(self._store, self._keys, course, uri=uri, sha256=sha256, environment=environment)

    def perform(self, plan: Plan) -> Performed:
        """Do it. `UnderWay`, `SubjectChanged`, `RegistryUnavailable` or `NotRecorded` if it was not begun;
        what goes wrong after that is in what is returned."""
        before = self.course(plan.model)
        for left in before.under_way.values():  # 1
            raise _under_way(left)
        self._refuse_what_moved(plan)  # 2
        intent = self._intend(plan, before.latest.get(plan.model))  # 3
        error = self._act(plan, intent)  # 4
        try:
            seen = effects.seen(plan, intent.id, self._registry)  # 5
        except RegistryUnavailable as unseen:
            return Performed(plan, intent, None, None, _left(error or unseen, intent))
        return self._recorded(plan, intent, seen, error)  # 6

    def _refuse_what_moved(self, plan: Plan) -> None:
        aliases = self._registry.aliases(plan.model)
        for move in plan.moves:
            expected = None if move.fromVersion is None else move.fromVersion.version
            if (now := aliases.get(move.alias)) != expected:
                raise SubjectChanged(
                    f"it named {effects.shown(expected)} when this was asked, and names "
                    f"{effects.shown(now)} now",
                    where=f"models:/{plan.model}@{move.alias}",
                    next_step="Ask again",
                )

    def _intend(self, plan: Plan, after: str | None) -> Receipt:
        try:
            return recording.intent(self._recorder, plan, self._registry.location, after=after)
        except AlreadyRecorded as error:
            raise UnderWay(
                f"somebody else began to change the model at the same time: see entry {error.index}",
                where=f"models:/{plan.model}",
                next_step="Look at what became of it, then ask again",
            ) from error

    def _act(self, plan: Plan, intent: Receipt) -> MandateError | None:
        """Change the registry. What keeps it from that is returned."""
        registry, name, version = self._registry, plan.model, plan.version.version
        try:
            if self._recorder.has(f"result:{intent.id}"):
                return _settled_by_others(intent)
            if plan.retires:
                registry.mark_retired(name, version, intent.id)
            for move in plan.moves:
                before = None if move.fromVersion is None else move.fromVersion.version
                after = None if move.toVersion is None else move.toVersion.version
                registry.move_alias(name, move.alias, after, expected=before)
            if not plan.retires and registry.retired(name, version) is not None:
                registry.mark_retired(name, version, None)
        except MandateError as error:
            return error
        return None

    def _recorded(self, plan: Plan, intent: Receipt, seen: Seen, error: MandateError | None) -> Performed:
        if seen.outcome is ActOutcome.DONE:
            error = None  # whatever went wrong on the way
        elif error is None:
            error = SubjectChanged(
                f"somebody else changed it at the same moment: {seen.error or 'the alias is where it was'}",
                where=plan.uri,
                next_step="Find out who moves the aliases of the model, then ask again",
            )
        if error is not None:
            words = str(error) if seen.error is None else f"{error} {seen.error}"
            seen = replace(seen, outcome=ActOutcome.FAILED, error=words)
        try:
            result = recording.result(
                self._recorder, plan, self._registry.location, of=intent.id, seen=seen, observed=False
            )
        except AlreadyRecorded:
            return Performed(plan, intent, None, seen, error or _settled_by_others(intent))
        except NotRecorded as unrecorded:
            return Performed(plan, intent, None, seen, _left(error or unrecorded, intent))
        return Performed(plan, intent, result, seen, error)


def _under_way(left: Intent) -> UnderWay:
    """Nobody can tell what is still going on from what was cut off."""
    return UnderWay(
        f"entry {left.index} says that {left.what}, and no entry says what became of it",
        where=f"models:/{left.predicate.model}",
        next_step=f"Wait for it; if it was cut off, {_RECONCILE}",
    )


def _settled_by_others(intent: Receipt) -> NotRecorded:
    return NotRecorded(
        f"somebody settled the act of entry {intent.index} while it was still going on",
        where=intent.origin,
        next_step=f"To see where the aliases are now, {_RECONCILE}",
    )


def _left(error: MandateError, intent: Receipt) -> MandateError:
    """The error, with what is to be done about the intent that has no result."""
    return type(error)(
        f"{error.what}; no entry says what became of the act of entry {intent.index}",
        where=error.where,
        next_step=f"When that is mended, {_RECONCILE}",
    )
