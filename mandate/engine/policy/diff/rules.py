"""Rules that are new or gone, and what their METADATA say of them now."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from ..build import Compiled
from .changes import Change, Effect, Kind, Name, Section, Words, from_to, listed
from .grid import Grid
from .judging import Judged
from .thresholds import same

_WORDING = ("description", "failure_msg", "solution")
_ANNOTATIONS = (
    *("title", *_WORDING, "severity", "collections", "controls", "effective_on", "depends_on"),
    *("actions", "environments", "waivable", "thresholds", "replaces"),
)
_CALLED = {"depends_on": "the collectors", "thresholds": "the thresholds that it reads"}


def changes(old: Compiled, new: Compiled, judged: Judged) -> Iterator[Change]:
    """The changes of rules, their Rego aside."""
    before, after = old.data["catalogue"], new.data["catalogue"]
    for rule in sorted({*before, *after}):
        if rule not in before:
            where = _where(rule, new, judged.grid, judged.new)
            said = ("is new: ", *_about(after[rule]), "; judges ", *where)
            yield _whole(rule, Kind.ADDED, Effect.TIGHTER, said, new=after[rule])
        elif rule not in after:
            where = _where(rule, old, judged.grid, judged.old)
            said = ("is gone: ", *_about(before[rule]), "; judged ", *where)
            yield _whole(rule, Kind.REMOVED, Effect.LOOSER, said, old=before[rule])
        else:
            was, now = (_comparable(each, rule) for each in (old, new))
            for key in _ANNOTATIONS:
                if not same(was.get(key), now.get(key)):
                    yield _annotation(rule, key, was, now)


def _about(about: Mapping[str, Any]) -> Words:
    replaces = about.get("replaces")
    instead: Words = (
        (", in place of ", Name(replaces["rule"]), " (", Name(replaces["reason"]), ")") if replaces else ()
    )
    waivable = "can be waived" if about["waivable"] else "cannot be waived"
    return (
        *("“", Name(about["title"]), "”", *instead),
        *(", severity ", Name(about["severity"]), f", {waivable}, denies from ", Name(about["effective_on"])),
    )


def _whole(rule: str, kind: Kind, effect: Effect, said: Words, *, old: Any = None, new: Any = None) -> Change:
    old_at, new_at = (about["defined_at"] if about else None for about in (old, new))
    return Change(Section.RULES, kind, effect, rule, "", said, old, new, old_at, new_at)


def _where(rule: str, compiled: Compiled, grid: Grid, judging: Mapping[str, Mapping[Any, Any]]) -> Words:
    about, environments = compiled.data["catalogue"][rule], compiled.data["scope"]["environments"]
    cells = judging.get(rule, {})
    own = Grid(
        [action for action in grid.actions if action in about["actions"]],
        [name for name in grid.environments if name in environments],
        grid.tiers,
        grid.subjects,
    )
    if not cells:
        return ("nowhere: no selection includes it",)
    return (*own.where(cells), ", to ", *listed(own.actions, last=" or "))


def _comparable(compiled: Compiled, rule: str) -> Mapping[str, Any]:
    """The annotations: lists without their order, and `all` for all environments that the scope has."""
    about = compiled.data["catalogue"][rule]
    if set(about["environments"]) == set(compiled.data["scope"]["environments"]):
        about = {**about, "environments": ["all"]}
    return {key: sorted(value) if isinstance(value, list) else value for key, value in about.items()}


def _annotation(rule: str, key: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Change:
    was, now = old.get(key), new.get(key)
    effect, said = _SAID.get(key, _otherwise)(key, was, now)
    places = {"old_at": old["defined_at"], "new_at": new["defined_at"]}
    return Change(Section.RULES, Kind.CHANGED, effect, rule, key, said, was, now, **places)


def _otherwise(key: str, old: Any, new: Any) -> tuple[Effect, Words]:
    return Effect.OTHER, (f"changes its {key}", *from_to(old, new))


def _lists(key: str, old: Any, new: Any) -> tuple[Effect, Words]:
    """Where a rule judges is for the selection to say, with the consequence."""
    return Effect.OTHER, (f"changes {_CALLED.get(key, f'its {key}')}", *from_to(old, new))


def _worded(key: str, _old: Any, _new: Any) -> tuple[Effect, Words]:
    return Effect.OTHER, (f"words its {key} otherwise",)


def _waivable(_: str, old: Any, new: Any) -> tuple[Effect, Words]:
    said = "can be waived now" if new else "can no longer be waived"
    return Effect.of(tighter=bool(old), looser=bool(new)), (said,)


def _effective(_: str, old: Any, new: Any) -> tuple[Effect, Words]:
    was, now = (datetime.fromisoformat(instant.replace("Z", "+00:00")) for instant in (old, new))
    said = ("denies from ", Name(new), " on, and did from ", Name(old))
    return Effect.of(tighter=now < was, looser=was < now), said


def _replaces(_: str, old: Any, new: Any) -> tuple[Effect, Words]:
    if new is None:
        return Effect.OTHER, ("no longer replaces ", Name(old["rule"]))
    return Effect.OTHER, ("replaces ", Name(new["rule"]), ": ", Name(new["reason"]))


_SAID: Mapping[str, Callable[[str, Any, Any], tuple[Effect, Words]]] = {
    **dict.fromkeys(_WORDING, _worded),
    **dict.fromkeys(
        ("collections", "controls", "depends_on", "actions", "environments", "thresholds"), _lists
    ),
    "waivable": _waivable,
    "effective_on": _effective,
    "replaces": _replaces,
}
