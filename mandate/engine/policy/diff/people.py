"""People who are new or gone, and what they may do or sign with now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..build import Compiled
from .changes import Change, Effect, Kind, Section, Words, from_to, listed

Person = Mapping[str, Any]

_LISTS = ("roles", "keys", "identities")


def changes(old: Compiled, new: Compiled) -> Iterator[Change]:
    """The changes of `data.mandate.people`; where one stands is none."""
    before, after = (each.data.get("people", {}) for each in (old, new))
    for name in sorted({*before, *after}):
        sides = _Sides(name, before.get(name), after.get(name))
        if sides.old is None:
            yield sides.change(Kind.ADDED, Effect.LOOSER, ("may sign now, with ", *_roles(sides.new)))
        elif sides.new is None:
            said = ("may sign no longer, and was there with ", *_roles(sides.old))
            yield sides.change(Kind.REMOVED, Effect.TIGHTER, said)
        else:
            yield from _changes(sides, sides.old, sides.new)


@dataclass(frozen=True, slots=True)
class _Sides:
    name: str
    old: Person | None
    new: Person | None

    def change(self, kind: Kind, effect: Effect, said: Words, aspect: str = "") -> Change:
        """A change of this person."""
        old_at, new_at = (each["set_at"] if each else None for each in (self.old, self.new))
        sides = (self.old, self.new, old_at, new_at)
        return Change(Section.PEOPLE, kind, effect, self.name, aspect, said, *sides)


def _changes(sides: _Sides, was: Person, now: Person) -> Iterator[Change]:
    for aspect in _LISTS:
        old, new = ([*each[aspect]] for each in (was, now))
        if sorted(old) == sorted(new):
            continue
        more, less = {*new} - {*old}, {*old} - {*new}
        if aspect == "identities":
            # By another name, an author may be found out.
            more, less = less, more
        effect = Effect.of(tighter=bool(less), looser=bool(more))
        yield sides.change(Kind.CHANGED, effect, (f"has other {aspect}", *from_to(old, new)), aspect)


def _roles(person: Person | None) -> Words:
    roles = person["roles"] if person else []
    return ("the role ", *listed(roles)) if roles else ("no role",)
