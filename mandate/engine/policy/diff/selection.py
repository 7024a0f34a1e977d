"""The selection: patterns that changed, and the rules that judge where they did not, or no longer do."""

from __future__ import annotations

from collections.abc import Iterator

from ..build import Compiled
from .changes import Change, Effect, Kind, Name, Section, Words, from_to, joined, listed, shown
from .grid import Cell, Grid
from .judging import OTHERS, Judged, Terms
from .layered import settings, words
from .thresholds import same


def changes(old: Compiled, new: Compiled, judged: Judged) -> Iterator[Change]:
    """The changes of patterns, and what they and all else lead to for the rules that both revisions have."""
    yield from _patterns(old, new)
    shared = [name for name in judged.grid.environments if _is_shared(name, old, new)]
    grid = Grid(judged.grid.actions, shared, judged.grid.tiers, judged.grid.subjects)
    for rule in sorted({*old.data["catalogue"]} & {*new.data["catalogue"]}):
        actions = [
            action
            for action in grid.actions
            if any(action in each.data["catalogue"][rule]["actions"] for each in (old, new))
        ]
        own = Grid(actions, grid.environments, grid.tiers, grid.subjects)
        yield from _rule(rule, own, judged, _replacing(rule, old), _replacing(rule, new))


def _is_shared(environment: str, old: Compiled, new: Compiled) -> bool:
    return all(environment in each.data["scope"]["environments"] for each in (old, new))


def _replacing(rule: str, compiled: Compiled) -> str | None:
    """The rule that replaces this one."""
    return next(
        (
            other
            for other, about in compiled.data["catalogue"].items()
            if about.get("replaces", {}).get("rule") == rule
        ),
        None,
    )


def _patterns(old: Compiled, new: Compiled) -> Iterator[Change]:
    before, after = dict(settings(old.data["selection"])), dict(settings(new.data["selection"]))
    for name, setting in before.items():
        for layer in sorted({*setting, *after[name]}):
            was, now = setting.get(layer), after[name].get(layer)
            if was and now and same(was["value"], now["value"]):
                continue
            said: Words
            if was and now:
                kind, said = Kind.CHANGED, ("changes ", *words(layer), *from_to(was["value"], now["value"]))
            elif now:
                kind, said = Kind.ADDED, ("is set ", *words(layer), ": ", shown(now["value"]))
            else:
                value = was["value"] if was else []
                kind, said = Kind.REMOVED, ("is no longer set ", *words(layer), ": it was ", shown(value))
            yield Change(
                Section.SELECTION,
                kind,
                Effect.OTHER,
                name[0],
                ".".join(layer),
                said,
                was["value"] if was else None,
                now["value"] if now else None,
                was["set_at"] if was else None,
                now["set_at"] if now else None,
            )


def _rule(
    rule: str, grid: Grid, judged: Judged, replacing_old: str | None, replacing_new: str | None
) -> Iterator[Change]:
    groups: dict[tuple[Terms, Terms], list[Cell]] = {}
    for cell in grid.cells():
        was, now = (side.get(rule, {}).get(cell, frozenset()) for side in (judged.old, judged.new))
        if was != now:
            groups.setdefault((was, now), []).append(cell)
    for (was, now), cells in groups.items():
        where = grid.where(cells)
        said: Words
        if not was:
            kind, effect, said = (
                Kind.ADDED,
                Effect.TIGHTER,
                ("judges now ", *_terms(now), *where),
            )
            said = (*said, *_because(replacing_old, " replaced it"))
        elif not now:
            kind, effect = Kind.REMOVED, Effect.LOOSER
            said = (
                "no longer judges ",
                *_terms(was),
                *where,
                *_because(replacing_new, " replaces it"),
            )
        else:
            kind, effect = Kind.CHANGED, Effect.of(tighter=was < now, looser=now < was)
            parts: list[Words] = []
            if now - was:
                parts.append(("judges now ", *_listed(now - was, was)))
            if was - now:
                parts.append(("no longer judges ", *_listed(was - now, now)))
            said = (*joined(parts, " and "), " ", *where)
        yield Change(
            Section.JUDGING,
            kind,
            effect,
            rule,
            "".join(where),
            said,
            sorted(was) or None,
            sorted(now) or None,
        )


def _because(other: str | None, verb: str) -> Words:
    return (" (", Name(other), verb, ")") if other else ()


def _terms(terms: Terms) -> Words:
    """Nothing for a rule with all its terms."""
    return () if OTHERS in terms else (*_listed(terms, frozenset()), " ")


def _listed(terms: Terms, others: Terms) -> Words:
    """The terms; `others`: those that are named beside them."""
    if OTHERS in terms:
        return ("all terms but ", *listed(sorted(others - terms)))
    return ("the term " if len(terms) == 1 else "the terms ", *listed(sorted(terms)))
