"""Which rules judge which requests, in both revisions: asked of each revision's own Rego."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..build import Compiled
from ..catalogue import ACTIONS
from ..command import run
from ..complaints import accepted
from ..sources import Kind
from ..tree import merged, write_data
from .grid import Cell, Grid, subjects, tiers, together
from .layered import models, settings

_QUERY = """some cell in input.cells
rules := data.mandate.lib.selection.rules with input as cell
partial := data.mandate.lib.selection.partial with input as cell
terms := {sprintf("%s:%s", [rule, term]) |
  some rule in partial
  some term in input.terms
  data.mandate.lib.selection.judges(rule, term) with input as cell
}"""

Terms = frozenset[str]
"""Of the terms that selections name, and `OTHERS`, those that a rule judges."""

OTHERS = ""
"""Stands for every term that no selection names."""

NOTHING = "*"
"""What a rule is said to judge that is selected without any of its terms: it then denies."""


@dataclass(frozen=True, slots=True)
class Judged:
    """For each rule, the terms that it judges in each cell where it judges any."""

    grid: Grid
    """The environments are those of both revisions."""
    old: Mapping[str, Mapping[Cell, Terms]]
    new: Mapping[str, Mapping[Cell, Terms]]


def judged(old: Compiled, new: Compiled, *, opa: Path) -> Judged:
    """Ask both revisions. A library without `mandate.lib.selection` selects nothing."""
    old_scope, new_scope = old.data["scope"], new.data["scope"]
    lists = [setting for each in (old, new) for _, setting in settings(each.data["selection"])]
    grid = Grid(
        ACTIONS,
        together(new_scope["environments"], old_scope["environments"]),
        tiers(new_scope["risk_tiers"], old_scope["risk_tiers"]),
        subjects(
            {model for setting in lists for model in models(setting)},
            old_scope.get("families", {}),
            new_scope.get("families", {}),
        ),
    )
    patterns = [pattern for setting in lists for leaf in setting.values() for pattern in leaf["value"]]
    terms = {OTHERS, *(pattern.partition(":")[2] for pattern in patterns)}
    return Judged(grid, *(_by_rule(compiled, grid.cells(), sorted(terms), opa) for compiled in (old, new)))


def _by_rule(
    compiled: Compiled, cells: Sequence[Cell], terms: Sequence[str], opa: Path
) -> dict[str, dict[Cell, Terms]]:
    found: dict[str, dict[Cell, Terms]] = {}
    for cell, result in zip(cells, _asked(compiled, cells, terms, opa), strict=False):
        partial = set(result["partial"])
        for rule in result["rules"]:
            judges = [term for term in terms if rule not in partial or f"{rule}:{term}" in result["terms"]]
            found.setdefault(rule, {})[cell] = frozenset(judges or [NOTHING])
    return found


def _asked(
    compiled: Compiled, cells: Sequence[Cell], terms: Sequence[str], opa: Path
) -> Iterator[Mapping[str, Any]]:
    requests = [
        {
            "request": {"action": cell.action, "environment": cell.environment},
            "subject": {"name": cell.subject.model, "risk_tier": cell.tier},
        }
        for cell in cells
    ]
    with merged(compiled.sources, Kind.REGO) as tree:
        write_data(tree, compiled.data)
        ended = accepted(
            run(
                opa,
                ["eval", "--format", "json", "--stdin-input", "--bundle", ".", _QUERY],
                folder=tree,
                stdin=json.dumps({"cells": requests, "terms": [*terms]}).encode(),
            ),
            compiled.sources,
        )
    return (result["bindings"] for result in json.loads(ended.stdout).get("result", ()))
