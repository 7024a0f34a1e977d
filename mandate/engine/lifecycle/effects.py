"""Which effects of an act the registry shows: what says, afterwards, what became of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..errors import UnknownSubject
from ..evidence.predicates.acts import ActOutcome, Move, VersionStated
from .plans import Plan
from .registry import Registry


@dataclass(frozen=True, slots=True)
class Seen:
    """What became of an act."""

    outcome: ActOutcome
    moves: tuple[Move, ...]
    """Those that happened."""
    error: str | None
    """What is otherwise than intended, where it failed."""


def seen(plan: Plan, intent: str, registry: Registry) -> Seen:
    """What the registry shows of an act whose intent has this id. `RegistryUnavailable` if it cannot be
    asked."""
    aliases = _aliases(plan.model, registry)
    happened = tuple(move for move in plan.moves if aliases.get(move.alias) == _name(move.toVersion))
    strays = list(_strays(plan.moves, aliases))
    marked = _marked(plan, intent, registry)
    if len(happened) == len(plan.moves) and marked is not False:
        return Seen(ActOutcome.DONE, happened, None)
    if not happened and not strays and not marked:
        return Seen(ActOutcome.ABANDONED, (), None)
    undone = [
        f"the alias {move.alias} names {shown(_name(move.fromVersion))} as before"
        for move in plan.moves
        if move not in happened and aliases.get(move.alias) == _name(move.fromVersion)
    ]
    if marked is False:
        undone.append("the version is not marked as retired")
    return Seen(ActOutcome.FAILED, happened, "; ".join((*strays, *undone)))


def _aliases(model: str, registry: Registry) -> dict[str, str]:
    try:
        return dict(registry.aliases(model))
    except UnknownSubject:
        return {}  # the model was deleted, and its aliases with it


def _strays(moves: tuple[Move, ...], aliases: dict[str, str]) -> Iterator[str]:
    for move in moves:
        now, before, after = aliases.get(move.alias), _name(move.fromVersion), _name(move.toVersion)
        if now not in (before, after):
            yield (
                f"the alias {move.alias} names {shown(now)}, "
                f"neither {shown(before)} as before nor {shown(after)} as intended"
            )


def _marked(plan: Plan, intent: str, registry: Registry) -> bool | None:
    """Whether the version is marked as retired by this intent; `None` if it needs no mark."""
    if not plan.retires:
        return None
    try:
        return registry.retired(plan.model, plan.version.version) == intent
    except UnknownSubject:
        return False


def _name(version: VersionStated | None) -> str | None:
    return None if version is None else version.version


def shown(version: str | None) -> str:
    """The version in a sentence."""
    return "no version" if version is None else f"version {version}"
