"""Thresholds: for each value that changed, whether more or less passes by it, and where.

Which way a threshold tightens is what the rules declare that read it (`tightens`). A layer that is new, or
gone, is compared with the values that hold there without it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...digests import canonical
from ..build import Compiled
from ..declarations import Declaration, Direction
from ..layers import Layer, Name
from .changes import Change, Effect, Kind, Section, Words, from_to, items, joined, listed, shown
from .grid import Cell, Grid, subjects, tiers
from .layered import Leaf, Setting, governing, models, settings, words

_OF_ENVIRONMENTS = ("environments", "tiers_in_environments")


def changes(old: Compiled, new: Compiled) -> Iterator[Change]:
    """The changes of declarations and values."""
    yield from _declared(old.declarations, new.declarations)
    before, after = dict(settings(old.data["thresholds"])), dict(settings(new.data["thresholds"]))
    for name in sorted({*before, *after}):
        tightens = _direction(name, old, new)
        if name in before and name in after:
            yield from _Comparison(name, tightens, before[name], after[name], old, new).changes()
        else:
            rules_stay = all(
                any(declared.covers(name) for declared in each.declarations) for each in (old, new)
            )
            matters = tightens is not None and rules_stay
            yield _whole(name, before.get(name), after.get(name), matters=matters)


def _declared(old: Sequence[Declaration], new: Sequence[Declaration]) -> Iterator[Change]:
    """What may be set as a threshold. Of what is new or gone, the values say so."""
    before, after = _schemas(old), _schemas(new)
    for name in sorted({*before} & {*after}):
        if canonical(before[name]) != canonical(after[name]):
            pairs = [
                (was, now)
                for was, now in zip(before[name], after[name], strict=False)
                if len(before[name]) == len(after[name]) and was != now
            ]
            said = [
                (f"{key} is ", shown(now.get(key)), " and was ", shown(was.get(key)))
                for was, now in pairs
                for key in sorted({*was, *now})
                if was.get(key) != now.get(key)
            ]
            yield Change(
                Section.THRESHOLDS,
                Kind.CHANGED,
                Effect.OTHER,
                name,
                "declaration",
                ("is declared otherwise", *((": ", *joined(said, ", ")) if said else ())),
                before[name],
                after[name],
            )


def _schemas(declarations: Sequence[Declaration]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for declared in declarations:
        found.setdefault(declared.dotted, []).append(dict(declared.schema))
    return {name: sorted(schemas, key=canonical) for name, schemas in found.items()}


def _direction(name: Name, *revisions: Compiled) -> Direction | None:
    """Which way the threshold tightens; `None` if nobody says, or if they do not agree."""
    said = {
        declared.tightens
        for compiled in revisions
        for declared in compiled.declarations
        if declared.covers(name) and declared.tightens is not None
    }
    return said.pop() if len(said) == 1 else None


def _whole(name: Name, before: Setting | None, after: Setting | None, *, matters: bool) -> Change:
    """A threshold that is new or gone. `matters`: it is one of a group, one more or less to satisfy."""
    setting = after or before or {}
    values: Words = joined(
        ((*words(layer), " ", shown(leaf["value"])) for layer, leaf in setting.items()), ", "
    )
    data = {".".join(layer): leaf["value"] for layer, leaf in setting.items()}
    place = next(iter(setting.values()))["set_at"]
    if before is None:
        effect = Effect.of(tighter=matters, looser=False)
        return _change(name, "", Kind.ADDED, effect, ("is new: ", *values), new=data, new_at=place)
    effect = Effect.of(tighter=False, looser=matters)
    return _change(name, "", Kind.REMOVED, effect, ("is gone: it was ", *values), old=data, old_at=place)


@dataclass(frozen=True, slots=True)
class _Comparison:
    """One threshold that both revisions have."""

    name: Name
    tightens: Direction | None
    before: Setting
    after: Setting
    old: Compiled
    new: Compiled

    def changes(self) -> Iterator[Change]:
        if self.changed_layers or self.families_differ or self.tiers_differ:
            yield from self._changes()

    @property
    def changed_layers(self) -> list[Layer]:
        """The layers of which the value is another, is new or is gone."""
        every = [*self.before, *(layer for layer in self.after if layer not in self.before)]
        return [
            layer
            for layer in every
            if (layer in self.before) != (layer in self.after)
            or not same(self.before[layer]["value"], self.after[layer]["value"])
        ]

    @property
    def families_differ(self) -> bool:
        return _families(self.old) != _families(self.new)

    @property
    def tiers_differ(self) -> bool:
        return bool(self.old.data["scope"]["risk_tiers"] != self.new.data["scope"]["risk_tiers"])

    def _changes(self) -> Iterator[Change]:
        grid = self._grid()
        cells = [(cell, *self._governing(cell)) for cell in grid.cells()]
        changed = self.changed_layers
        for layer in changed:
            yield self._change(
                layer, [(was, now) for _, was, now in cells if self._explains(layer, was, now)]
            )
        # What no value of its own explains: the family of a model, or the order of tiers, is another.
        moved: dict[bytes, list[Cell]] = {}
        for cell, was, now in cells:
            values = [self.before[was]["value"], self.after[now]["value"]]
            explained = any(self._explains(layer, was, now) for layer in changed)
            if not explained and not same(*values):
                moved.setdefault(canonical(values), []).append(cell)
        for _, where in sorted(moved.items()):
            was, now = self._governing(where[0])
            yield self._moved(grid, where, self.before[was], self.after[now])

    def _explains(self, layer: Layer, was: Layer, now: Layer) -> bool:
        """Whether the change of the layer is why another value holds: it did and does, or is gone, or new."""
        if layer in self.before and layer in self.after:
            return was == now == layer
        return layer == (now if layer in self.after else was)

    def _grid(self) -> Grid:
        named = {*models(self.before), *models(self.after)}
        old, new = self.old.data["scope"], self.new.data["scope"]
        return Grid(
            ("any",),
            [name for name in new["environments"] if name in old["environments"]],
            tiers(new["risk_tiers"], old["risk_tiers"]),
            subjects(named, _families(self.old), _families(self.new)),
        )

    def _governing(self, cell: Cell) -> tuple[Layer, Layer]:
        sides = zip((self.before, self.after), (self.old, self.new), cell.subject.families, strict=True)
        was, now = (
            governing(setting, cell.environment, _tier(cell.tier, compiled), cell.subject.model, family)
            for setting, compiled, family in sides
        )
        return was, now

    def _change(self, layer: Layer, ruled: Sequence[tuple[Layer, Layer]]) -> Change:
        """The change of one layer; `ruled`: which layer held, and which holds, wherever it explains that."""
        pairs = _distinct([(self.before[was]["value"], self.after[now]["value"]) for was, now in ruled])
        pairs = [pair for pair in pairs if not same(*pair)]
        effect = _effect(self.tightens, pairs)
        there, here = self.before.get(layer), self.after.get(layer)
        said: Words
        if there and here:
            said = (effect.verb, " ", *words(layer), *from_to(there["value"], here["value"]))
            said += () if pairs else (", which more specific values leave without effect",)
        elif pairs:
            said = _moved_by(layer, effect, pairs, "set there now" if here else "no longer set there")
        else:
            said = self._without_effect(layer, here)
        kind = Kind.CHANGED if there and here else Kind.ADDED if here else Kind.REMOVED
        return _change(
            self.name,
            ".".join(layer),
            kind,
            effect,
            said,
            old=there and there["value"],
            new=here and here["value"],
            old_at=there and there["set_at"],
            new_at=here and here["set_at"],
        )

    def _without_effect(self, layer: Layer, here: Leaf | None) -> Words:
        """A layer that is new or gone and changes nothing, or is of what only one revision has."""
        said: Words = ("is no longer set ", *words(layer))
        if here:
            said = ("is set ", *words(layer), " to ", shown(here["value"]))
        environments = [each.data["scope"]["environments"] for each in (self.old, self.new)]
        if layer[0] in _OF_ENVIRONMENTS and not all(layer[1] in names for names in environments):
            return (*said, f", an environment that is {'new' if here else 'gone'}")
        return (*said, ", which changes no value that holds")

    def _moved(self, grid: Grid, where: Sequence[Cell], was: Leaf, now: Leaf) -> Change:
        effect = _effect(self.tightens, [(was["value"], now["value"])])
        said = (effect.verb, " ", *grid.where(where), *from_to(was["value"], now["value"]))
        return _change(
            self.name,
            "".join(grid.where(where)),
            Kind.CHANGED,
            effect,
            (*said, " (by the family or tier)"),
            old=was["value"],
            new=now["value"],
            old_at=was["set_at"],
            new_at=now["set_at"],
        )


def _moved_by(layer: Layer, effect: Effect, pairs: Sequence[tuple[Any, Any]], why: str) -> Words:
    olds, news = (
        {canonical(value): value for value in values}.values() for values in zip(*pairs, strict=True)
    )
    if len(pairs) == 1:
        move = from_to(*pairs[0])
    else:
        move = (
            " from ",
            *listed(map(shown, olds), last=" or "),
            " to ",
            *listed(map(shown, news), last=" or "),
        )
    return (effect.verb, " ", *words(layer), *move, f" ({why})")


def same(old: Any, new: Any) -> bool:
    """As in JSON, where 1 and 1.0 are one number, and `true` is none."""
    return canonical(old) == canonical(new)


def _effect(tightens: Direction | None, pairs: Sequence[tuple[Any, Any]]) -> Effect:
    """What moving each old value to its new one does."""
    if tightens is None:
        return Effect.OTHER
    moves = {direction for pair in pairs for direction in _moves(*pair)}
    return Effect.of(tighter=tightens in moves, looser=bool(moves - {tightens}))


def _moves(old: Any, new: Any) -> Iterator[Direction]:
    """Which way a value moved; both ways if a list gained and lost something, or if its type is another."""
    if isinstance(old, list) and isinstance(new, list):
        more, less = items(old, new)
        yield from [Direction.UP] * bool(more) + [Direction.DOWN] * bool(less)
    elif isinstance(old, bool) == isinstance(new, bool) and not isinstance(old, list) | isinstance(new, list):
        yield Direction.UP if new > old else Direction.DOWN
    else:
        yield from Direction


def _distinct(pairs: Sequence[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    return [*{canonical([*pair]): pair for pair in pairs}.values()]


def _families(compiled: Compiled) -> Mapping[str, str]:
    families: Mapping[str, str] = compiled.data["scope"].get("families", {})
    return families


def _tier(tier: str, compiled: Compiled) -> str:
    """One that the scope does not list counts as the highest."""
    tiers: list[str] = compiled.data["scope"]["risk_tiers"]
    return tier if tier in tiers else tiers[-1]


def _change(name: Name, aspect: str, kind: Kind, effect: Effect, said: Words, **sides: Any) -> Change:
    return Change(Section.THRESHOLDS, kind, effect, ".".join(name), aspect, said, **sides)
