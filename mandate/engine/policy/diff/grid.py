"""What a request can differ in, as far as policies speak of it: action, environment, risk tier and model."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .changes import Name, Words, joined, listed

_UNKNOWN_TIER = "any other"
_SHOWN = 5
"""How many models are named before the rest is counted."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A model, or one that stands for several that no policy tells apart."""

    model: str
    families: tuple[str | None, str | None]
    """Its family in the old and in the new revision."""
    stands_for: str = ""
    """The family, if it stands for all models of one."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One kind of request."""

    action: str
    environment: str
    tier: str
    subject: Subject


@dataclass(frozen=True, slots=True)
class Grid:
    """The values of each dimension."""

    actions: Sequence[str]
    environments: Sequence[str]
    tiers: Sequence[str]
    subjects: Sequence[Subject]

    def cells(self) -> list[Cell]:
        """Every combination, in order."""
        return [
            Cell(action, environment, tier, subject)
            for subject in self.subjects
            for environment in self.environments
            for tier in self.tiers
            for action in self.actions
        ]

    def where(self, cells: Collection[Cell]) -> Words:
        """Words for some of the cells: `in production, for the tier low`; `everywhere` for all."""
        return joined((self._box(box) for box in self._boxes(cells)), "; and ")

    def _boxes(self, cells: Iterable[Cell]) -> list[tuple[tuple[Any, ...], ...]]:
        """The cells as products of values, merged in one dimension after the other."""
        every = (self.actions, self.tiers, self.environments, self.subjects)
        boxes = [((cell.action,), (cell.tier,), (cell.environment,), (cell.subject,)) for cell in cells]
        for at, order in enumerate(every):
            groups: dict[tuple[Any, ...], set[Any]] = {}
            for box in boxes:
                groups.setdefault((*box[:at], *box[at + 1 :]), set()).update(box[at])
            boxes = [
                (*rest[:at], tuple(value for value in order if value in values), *rest[at:])
                for rest, values in groups.items()
            ]
        return list(boxes)

    def _box(self, box: tuple[tuple[Any, ...], ...]) -> Words:
        actions, tiers, environments, subjects = box
        parts: list[Words] = []
        if len(environments) < len(self.environments):
            parts.append(("in ", *listed(environments)))
        if len(tiers) < len(self.tiers):
            parts.append(("for the tier " if len(tiers) == 1 else "for the tiers ", *listed(tiers)))
        if len(subjects) < len(self.subjects):
            parts.append(("for ", *self._models(subjects)))
        if len(actions) < len(self.actions):
            parts.append(("to ", *listed(actions, last=" or ")))
        return joined(parts, ", ") or ("everywhere",)

    def _models(self, subjects: Sequence[Subject]) -> Words:
        """These; or, with those that nobody names, all but the others."""
        if self.subjects[-1] not in subjects:
            return _listed(subjects)
        return ("all but ", *_listed([subject for subject in self.subjects if subject not in subjects]))


def _listed(subjects: Sequence[Subject]) -> Words:
    families = [
        ("models of the family ", Name(subject.stands_for)) for subject in subjects if subject.stands_for
    ]
    names = [subject.model for subject in subjects if not subject.stands_for]
    if not names:
        return joined(families, " and ")
    more = len(names) - _SHOWN
    shown = listed(names) if more <= 1 else (*listed(names[:_SHOWN], last=", "), f" and {more:,} more")
    return joined([("the model " if len(names) == 1 else "the models ", *shown), *families], " and ")


def subjects(
    named: Iterable[str], old_families: Mapping[str, str], new_families: Mapping[str, str]
) -> list[Subject]:
    """Each model that is named or changed its family, one for each family and, last, one for all others."""
    names = set(named)
    known = sorted({*old_families, *new_families, *names})
    found: list[Subject] = []
    seen: set[str] = set()
    for model in known:
        families = (old_families.get(model), new_families.get(model))
        old, new = families
        if model in names or old != new or new is None:
            found.append(Subject(model, families))
        elif new not in seen:
            seen.add(new)
            found.append(Subject(model, families, new))
    other = "another"
    while other in known:
        other += "'"
    return [*found, Subject(other, (None, None))]


def together(new: Sequence[str], old: Sequence[str]) -> list[str]:
    """The names of both, those of `new` first."""
    return [*new, *(name for name in old if name not in new)]


def tiers(new: Sequence[str], old: Sequence[str]) -> list[str]:
    """The tiers of both, and one that neither lists where it is judged otherwise, as the highest."""
    every = together(new, old)
    return every if new[-1] == old[-1] else [*every, _UNKNOWN_TIER]
