"""What the policies say of each rule: METADATA, thresholds with their layers, waivers, tests."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import comments
from .build import Compiled
from .command import run
from .complaints import accepted
from .declarations import ANY_NAME
from .layers import LAYERS, Layer, Name, leaves
from .sources import Kind, Source, prefix
from .tree import merged, write_data

_TESTS = """{
  "tests": count({name |
    some content in input
    some rule in rego.parse_module("test", content).rules
    name := rule.head.ref[0].value
    startswith(name, "test_")
  }),
  "cases": sum([count(cases) | cases := data.mandate.rules[%s][%s].cases]),
}"""
"""How many tests the files in the input have, and how many cases the table of a package has."""


@dataclass(frozen=True, slots=True)
class Value:
    """What a threshold is somewhere."""

    layer: Layer
    """`("default",)`, `("tiers_in_environments", "production", "high")`."""
    value: Any
    set_at: str
    comment: str
    """The YAML comment that explains it."""

    @property
    def place(self) -> str:
        """Where it holds, in words."""
        kind, *names = self.layer
        return " ".join(names) if names else kind


@dataclass(frozen=True, slots=True)
class Threshold:
    """A threshold that a rule reads."""

    name: str
    """`fairness.demographic_parity_difference`."""
    values: tuple[Value, ...]
    """The default first, then the least specific."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of the policies."""

    id: str
    about: Mapping[str, Any]
    """Its entry in the catalogue."""
    root: str
    """The folder of policies that it comes from: `library`, `organisation`, …"""
    replaced_by: str | None
    is_everywhere: bool
    """Whether it judges in all environments."""
    thresholds: tuple[Threshold, ...]

    @property
    def replaces(self) -> str | None:
        """The rule that it stands for."""
        replaced: str | None = self.about.get("replaces", {}).get("rule")
        return replaced


@dataclass(frozen=True, slots=True)
class Tests:
    """The tests of one rule."""

    __test__ = False  # for pytest, which takes the name for a test

    files: tuple[str, ...]
    tests: int
    cases: int
    """Rows of the table that one of the tests goes through."""


def rules(compiled: Compiled) -> tuple[Rule, ...]:
    """All rules, by id."""
    catalogue: Mapping[str, Mapping[str, Any]] = compiled.data["catalogue"]
    replaced_by = {
        about["replaces"]["rule"]: rule for rule, about in catalogue.items() if "replaces" in about
    }
    return tuple(
        Rule(
            id=rule,
            about=about,
            root=_root(compiled, rule),
            replaced_by=replaced_by.get(rule),
            is_everywhere={*about["environments"]} == {*compiled.data["scope"]["environments"]},
            thresholds=tuple(_thresholds(compiled, about["thresholds"])),
        )
        for rule, about in sorted(catalogue.items())
    )


def waivers(compiled: Compiled, rule: str) -> list[Mapping[str, Any]]:
    """The waivers for the rule or for terms of it."""
    return [one for one in compiled.data["waivers"] if one["rule"].partition(":")[0] == rule]


def tests(compiled: Compiled, rule: str, *, opa: Path) -> Tests:
    """What tests the rule has."""
    category, _, name = rule.partition(".")
    files = [source for source in _files(compiled, rule) if source.kind is Kind.TEST]
    query = _TESTS % (json.dumps(category), json.dumps(f"{name}_test"))
    with merged(compiled.sources, Kind.REGO, Kind.TEST) as tree:
        write_data(tree, compiled.data)
        contents = json.dumps({source.path: source.content.decode() for source in files}).encode()
        arguments = ["eval", "--bundle", ".", "--format", "json", "--stdin-input", query]
        ended = accepted(run(opa, arguments, folder=tree, stdin=contents), compiled.sources)
    counted = json.loads(ended.stdout)["result"][0]["expressions"][0]["value"]
    return Tests(tuple(source.label for source in files), counted["tests"], counted["cases"])


def _files(compiled: Compiled, rule: str) -> list[Source]:
    folder = f"mandate/rules/{rule.replace('.', '/')}/"
    return [source for source in compiled.sources.files if source.path.startswith(folder)]


def _root(compiled: Compiled, rule: str) -> str:
    number = next(source.root for source in _files(compiled, rule) if source.kind is Kind.REGO)
    return prefix(number).rstrip("/") or "library"


def _thresholds(compiled: Compiled, names: list[str]) -> Iterator[Threshold]:
    for declared in names:
        path = tuple(declared.split("."))
        if path[-1] == ANY_NAME:
            for member in sorted(_at(compiled, path[:-1])):
                yield _threshold(compiled, (*path[:-1], member))
        else:
            yield _threshold(compiled, path)


def _threshold(compiled: Compiled, name: Name) -> Threshold:
    return Threshold(".".join(name), values(compiled, _at(compiled, name)))


def values(compiled: Compiled, setting: Mapping[str, Any]) -> tuple[Value, ...]:
    """The values of a layered setting, the default first, then the least specific."""
    found = (
        Value(layer, leaf["value"], leaf["set_at"], comments.of_value(compiled.sources, leaf["set_at"]))
        for layer, leaf in leaves(setting)
    )
    return tuple(sorted(found, key=lambda value: (LAYERS.index(value.layer[0]), value.layer)))


def _at(compiled: Compiled, name: Name) -> Mapping[str, Any]:
    node: Mapping[str, Any] = compiled.data["thresholds"]
    for part in name:
        node = node[part]
    return node
