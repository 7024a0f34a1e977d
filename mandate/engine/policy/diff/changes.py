"""One change, and the words for it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ...digests import canonical


class Name(str):
    """A part of a sentence that stands in the policies: reports escape it, and set it apart."""

    __slots__ = ()


Words = tuple[str, ...]
"""A sentence in parts: those that are a `Name`, and the plain words between them."""


class Effect(StrEnum):
    """Whether more or less passes by a change."""

    TIGHTER = "tighter"
    LOOSER = "looser"
    OTHER = "other"
    """It changes something else, or nobody can tell the direction from the text."""

    @property
    def verb(self) -> str:
        """`tightened`, `loosened`, `changed`."""
        return {"tighter": "tightened", "looser": "loosened"}.get(self, "changed")

    @classmethod
    def of(cls, *, tighter: bool, looser: bool) -> Effect:
        """One of the two; `OTHER` if both hold, or none."""
        return cls.OTHER if tighter == looser else cls.TIGHTER if tighter else cls.LOOSER


class Section(StrEnum):
    """What a change is about, in the order in which a reviewer reads."""

    RULES = "rules"
    CODE = "code"
    """Rego."""
    THRESHOLDS = "thresholds"
    SELECTION = "selection"
    """The patterns."""
    JUDGING = "judging"
    """Which rules judge where, for whatever reason."""
    WAIVERS = "waivers"
    PEOPLE = "people"
    SCOPE = "scope"


class Kind(StrEnum):
    """What became of the subject."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Change:
    """One change."""

    section: Section
    kind: Kind
    effect: Effect
    subject: str
    """A rule, a threshold, a package, a list of the selection, a part of the scope."""
    aspect: str
    """What of it: `severity`, `models.credit`; empty for the whole."""
    words: Words
    """What happened to the subject, without a full stop."""
    old: Any = None
    """As it was: a JSON value; `None` if it was not there."""
    new: Any = None
    old_at: str | None = None
    """File and line."""
    new_at: str | None = None
    patch: str = ""
    """A unified diff of the code, where it changed."""

    @property
    def says(self) -> str:
        """The words as they are, not escaped."""
        return "".join(self.words)

    @property
    def order(self) -> tuple[int, str, str, str, str]:
        """By section, then subject, then aspect."""
        return [*Section].index(self.section), self.subject, self.aspect, self.kind, self.says


def listed(names: Iterable[str], *, last: str = " and ") -> Words:
    """`a, b and c`, each a name."""
    parts: list[str] = []
    items = list(names)
    for at, item in enumerate(items):
        if at:
            parts.append(last if at == len(items) - 1 else ", ")
        parts.append(Name(item))
    return tuple(parts)


def shown(value: Any) -> Name:
    """A value as a reviewer wrote it: text as it is, a list without brackets, what is empty as `nothing`."""
    if isinstance(value, str):
        return Name(value)
    if isinstance(value, list):
        return Name(", ".join(map(shown, value)) or "nothing")
    return Name(json.dumps(value, ensure_ascii=False))


def items(old: Sequence[Any], new: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    """What a list has more, and what it has no longer, each in the list's order."""
    before, after = ({canonical(item) for item in each} for each in (old, new))
    return (
        [item for item in new if canonical(item) not in before],
        [item for item in old if canonical(item) not in after],
    )


def from_to(old: Any, new: Any) -> Words:
    """` from 0.05 to 0.03`; of lists, what they gain and lose: `: now with a, no longer with b`."""
    if not (isinstance(old, list) and isinstance(new, list)):
        return (" from ", shown(old), " to ", shown(new))
    more, less = items(old, new)
    parts: list[Words] = []
    if more:
        parts.append(("now with ", *listed(map(shown, more))))
    if less:
        parts.append(("no longer with ", *listed(map(shown, less))))
    return (": ", *joined(parts, ", ")) if parts else (": in another order",)


def joined(parts: Iterable[Words], between: str) -> Words:
    """The parts, with plain words between them."""
    words: list[str] = []
    for part in parts:
        words += [between, *part] if words else part
    return tuple(words)
