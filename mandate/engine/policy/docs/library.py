"""What the pages say: rules, thresholds, controls and waivers, as the sources compile to them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .. import comments
from ..build import Compiled
from ..declarations import Declaration
from ..layers import Name
from ..overview import Value, values, waivers
from ..sources import Kind, Source
from .controls import Framework, frameworks

_WAIVED = ("subject", "reason", "reference", "approver", "effective_on", "expires")
_NOT_IN_ANCHORS = re.compile(r"[^A-Za-z0-9_.]+")


@dataclass(frozen=True, slots=True)
class Threshold:
    """A number, name or list that compliance people set."""

    name: str
    """`fairness.demographic_parity_difference`."""
    anchor: str
    declared: tuple[Declaration, ...]
    """By the rules that read it, and by the packages that all rules share."""
    settings: tuple[Value, ...]
    """Of those that fit a model, the last one counts."""
    rules: tuple[str, ...]
    """The rules that read it."""
    explanation: str
    """What the first root says of it: who sets it in another one need not say it again."""


@dataclass(frozen=True, slots=True)
class Waiver:
    """A violation that somebody answers for, for a time."""

    term: str
    """Empty for every term of the rule."""
    subject: Mapping[str, str]
    """`{name, version}` or `{sha256}`."""
    reason: str
    reference: str
    approver: str
    effective_on: str
    expires: str
    set_at: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule, as its METADATA describes it."""

    id: str
    title: str
    description: str
    failure_msg: str
    solution: str
    severity: str
    collections: tuple[str, ...]
    controls: tuple[str, ...]
    effective_on: str
    depends_on: tuple[str, ...]
    actions: tuple[str, ...]
    environments: tuple[str, ...]
    waivable: bool
    replaces: tuple[str, str] | None
    """The rule that it replaces, and why."""
    replaced_by: str | None
    thresholds: tuple[Threshold, ...]
    waivers: tuple[Waiver, ...]
    sources: tuple[Source, ...]
    """Its Rego."""

    @property
    def category(self) -> str:
        """The first part of the id."""
        return self.id.partition(".")[0]

    @property
    def name(self) -> str:
        """The second part of the id."""
        return self.id.partition(".")[2]


@dataclass(frozen=True, slots=True)
class Library:
    """Everything that the pages say."""

    revision: str
    rules: tuple[Rule, ...]
    thresholds: tuple[Threshold, ...]
    frameworks: tuple[Framework, ...]
    anchors: Mapping[str, str]
    """Of each control, by its name."""
    environments: tuple[str, ...]
    include: tuple[Value, ...]
    """Which rules judge: lists of patterns."""
    exclude: tuple[Value, ...]

    @property
    def collections(self) -> Mapping[str, tuple[Rule, ...]]:
        """The rules of each collection, by its name."""
        names = sorted({name for rule in self.rules for name in rule.collections})
        return {name: tuple(rule for rule in self.rules if name in rule.collections) for name in names}

    @property
    def categories(self) -> Mapping[str, tuple[Rule, ...]]:
        """The rules of each category, by its name."""
        names = sorted({rule.category for rule in self.rules})
        return {name: tuple(rule for rule in self.rules if rule.category == name) for name in names}


def library(compiled: Compiled) -> Library:
    """What the pages of these policies say."""
    catalogue: Mapping[str, Mapping[str, Any]] = compiled.data["catalogue"]
    thresholds = _thresholds(compiled, catalogue)
    rules = tuple(_rule(name, compiled, thresholds) for name in sorted(catalogue))
    named = {control: None for rule in rules for control in rule.controls}
    selection = compiled.data["selection"]
    return Library(
        compiled.sources.revision,
        rules,
        thresholds,
        frameworks({control: [rule.id for rule in rules if control in rule.controls] for control in named}),
        _anchors(named, lower=True),
        tuple(compiled.data["scope"]["environments"]),
        values(compiled, selection["include"]),
        values(compiled, selection["exclude"]),
    )


def _rule(name: str, compiled: Compiled, thresholds: Sequence[Threshold]) -> Rule:
    catalogue = compiled.data["catalogue"]
    about = catalogue[name]
    folder = f"mandate/rules/{name.replace('.', '/')}"
    sources = tuple(source for source in compiled.sources.of(Kind.REGO) if source.folder == folder)
    replaces = about.get("replaces")
    return Rule(
        id=name,
        title=about["title"],
        description=about["description"],
        failure_msg=about["failure_msg"],
        solution=about["solution"],
        severity=about["severity"],
        collections=tuple(about["collections"]),
        controls=tuple(about["controls"]),
        effective_on=about["effective_on"],
        depends_on=tuple(about["depends_on"]),
        actions=tuple(about["actions"]),
        environments=tuple(about["environments"]),
        waivable=about["waivable"],
        replaces=(replaces["rule"], replaces["reason"]) if replaces else None,
        replaced_by=next(
            (other for other, of in catalogue.items() if of.get("replaces", {}).get("rule") == name), None
        ),
        thresholds=tuple(threshold for threshold in thresholds if name in threshold.rules),
        waivers=tuple(map(_waiver, waivers(compiled, name))),
        sources=sources,
    )


def _waiver(waiver: Mapping[str, Any]) -> Waiver:
    term = waiver["rule"].partition(":")[2]
    return Waiver(term, **{key: waiver[key] for key in _WAIVED}, set_at=waiver["id"])


def _thresholds(compiled: Compiled, catalogue: Mapping[str, Mapping[str, Any]]) -> tuple[Threshold, ...]:
    found = sorted(_leaves(compiled.data["thresholds"], ()))
    anchors = _anchors([".".join(name) for name, _ in found])
    thresholds = []
    for name, setting in found:
        declared = tuple(each for each in compiled.declarations if each.covers(name))
        dotted = {each.dotted for each in declared}
        rules = tuple(rule for rule in sorted(catalogue) if dotted & set(catalogue[rule]["thresholds"]))
        settings = values(compiled, setting)
        shown = ".".join(name)
        said = comments.of_setting(compiled.sources, name)
        thresholds.append(Threshold(shown, anchors[shown], declared, settings, rules, said))
    return tuple(thresholds)


def _leaves(node: Mapping[str, Any], name: Name) -> Iterator[tuple[Name, Mapping[str, Any]]]:
    """Every setting with its name; what has a default is one."""
    if "default" in node:
        yield name, node
    else:
        for key, below in node.items():
            yield from _leaves(below, (*name, key))


def _anchors(names: Iterable[str], *, lower: bool = False) -> Mapping[str, str]:
    """An anchor for each name, out of letters, digits, `_` and `.` of it."""
    anchors: dict[str, str] = {}
    for name in sorted(names):
        plain = _NOT_IN_ANCHORS.sub("-", name.lower().replace(".", "-") if lower else name).strip("-") or "-"
        anchor, number = plain, 1
        while anchor in anchors.values():
            number += 1
            anchor = f"{plain}-{number}"
        anchors[name] = anchor
    return anchors
