"""The catalogue: what the METADATA of each rule says of it, so that no query has to read annotations.

A rule is a package `mandate.rules.<category>.<rule>` that defines `terms`, and `must` or `should`. Its id is
`<category>.<rule>`. Any package may declare `custom.thresholds`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from ..errors import BadPolicy
from ..nearest import advice, nearest
from .command import run
from .complaints import accepted
from .declarations import Declaration, declaration
from .faults import Faults
from .scope import Scope
from .sources import Kind, Source, Sources

ACTIONS = ("promote", "deploy", "monitor")
SEVERITIES = ("low", "medium", "high", "critical")

_RULES = ("mandate", "rules")
_RULE_PARTS = 4
_ENTRYPOINT = ("mandate", "main")
_DECISION = "decision"
_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?Z")
_NAME = re.compile(r"[A-Za-z0-9_-]+")
"""Half of a rule's id: what selections and waivers put around it (`.`, `:`, `@`, `*`) is no part of it."""
_COLLECTION = re.compile(r"[a-z0-9][a-z0-9_-]*")

_PARSE = """{file: facts |
  some file, content in input
  module := rego.parse_module(file, content)
  facts := {
    "package": [part.value | some part in module["package"].path],
    "defines": {rule.head.ref[0].value | some rule in module.rules},
    "prints": {true |
      walk(module, [_, node])
      node.type == "ref"
      node.value == [{"type": "var", "value": "print"}]
    },
  }}"""
"""A Rego query over `{file: content}`: the package of each file, what it defines, and whether it prints.

`opa build` accepts `print` even where it is not among the capabilities, and leaves it in the bundle.
"""


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_names(value: Any) -> bool:
    return isinstance(value, list) and all(_is_text(item) for item in value) and len(set(value)) == len(value)


def _is_instant(value: Any) -> bool:
    if not isinstance(value, str) or _INSTANT.fullmatch(value) is None:
        return False
    try:
        datetime.fromisoformat(value.replace("Z", "+00:00"))
    except ValueError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class _Annotation:
    """What one key of METADATA must be."""

    fits: Callable[[Any], bool]
    described: str
    required: bool = True


_STANDARD: Mapping[str, _Annotation] = {
    "title": _Annotation(_is_text, "text"),
    "description": _Annotation(_is_text, "text"),
}
_CUSTOM: Mapping[str, _Annotation] = {
    "failure_msg": _Annotation(_is_text, "text"),
    "solution": _Annotation(_is_text, "text"),
    "severity": _Annotation(lambda value: value in SEVERITIES, f"one of {', '.join(SEVERITIES)}"),
    "collections": _Annotation(
        lambda value: _is_names(value) and all(map(_COLLECTION.fullmatch, value)),
        "a list of names in lower case",
    ),
    "controls": _Annotation(_is_names, "a list of texts"),
    "effective_on": _Annotation(_is_instant, 'an instant in quotes, such as "2026-01-01T00:00:00Z"'),
    "depends_on": _Annotation(_is_names, "a list of collectors"),
    "actions": _Annotation(
        lambda value: _is_names(value) and bool(value) and set(value) <= set(ACTIONS),
        f"a list of actions out of {', '.join(ACTIONS)}",
    ),
    "environments": _Annotation(
        lambda value: _is_names(value) and bool(value), "a list of environments", required=False
    ),
    "waivable": _Annotation(lambda value: isinstance(value, bool), "true or false"),
    "thresholds": _Annotation(
        lambda value: isinstance(value, dict), "a mapping of names to schemas", required=False
    ),
    "replaces": _Annotation(
        lambda value: (
            isinstance(value, dict)
            and set(value) == {"rule", "reason"}
            and all(map(_is_text, value.values()))
        ),
        "a mapping {rule: category.rule, reason: text}",
        required=False,
    ),
}


@dataclass(frozen=True)
class _Package:
    """A package of the merged tree."""

    path: tuple[str, ...]
    """Without `data`."""
    sources: tuple[Source, ...]
    defines: frozenset[str]

    @cached_property
    def is_rule(self) -> bool:
        return self.path[:2] == _RULES

    @property
    def where(self) -> str:
        return f"{self.sources[0].label}:1"

    @property
    def rule(self) -> str:
        return ".".join(self.path[2:])


@dataclass(frozen=True, slots=True)
class _Metadata:
    """The annotations of one package, and the file that they stand in."""

    content: Mapping[str, Any]
    source: Source
    row: int
    """The line of `package`, from 1: the annotations are above it."""

    def where(self, key: str) -> str:
        """File and line of the key; of `package` where the key is absent."""
        lines = self.source.content.decode("utf-8", "replace").splitlines()[: self.row]
        pattern = re.compile(rf"""#\s*["']?{re.escape(key)}["']?\s*:""")
        rows = [row for row, line in enumerate(lines, 1) if pattern.match(line.strip())]
        return f"{self.source.label}:{rows[-1] if rows else self.row}"


@dataclass(frozen=True, slots=True)
class Described:
    """What the METADATA of the merged tree says."""

    catalogue: dict[str, dict[str, Any]]
    declarations: tuple[Declaration, ...]


def describe(tree: Path, sources: Sources, scope: Scope, *, opa: Path) -> Described:
    """Read the METADATA in the merged tree, which `opa check` has accepted. `BadPolicy` for what is wrong."""
    packages = _packages(tree, sources, opa)
    metadata = _metadata(tree, sources, opa)
    main = packages.get(_ENTRYPOINT)
    if main is None or _DECISION not in main.defines:
        raise BadPolicy(
            "nothing defines data.mandate.main.decision",
            where=main.where if main else "mandate/main",
            next_step="Name Mandate's library as the first folder of policies",
        )
    catalogue: dict[str, dict[str, Any]] = {}
    declarations: list[Declaration] = []
    with Faults() as faults:
        for path, package in sorted(packages.items()):
            with faults.kept():
                if package.is_rule:
                    catalogue[package.rule] = _entry(package, metadata.get(path), scope)
                if path in metadata:
                    declarations += _declarations(path, metadata[path])
    _check_replacements(catalogue, packages, metadata)
    return Described(catalogue, tuple(declarations))


def applicable(
    catalogue: Mapping[str, Mapping[str, Any]], scope: Scope
) -> dict[str, dict[str, dict[str, list[str]]]]:
    """`data.mandate.applicable`: action → environment → rule → [category, name].

    An index of the catalogue: looking at each rule's annotations in each query is a tenth of its cost.
    """
    return {
        action: {
            environment: {
                rule: rule.split(".")
                for rule, about in catalogue.items()
                if action in about["actions"] and environment in about["environments"]
            }
            for environment in scope.environments
        }
        for action in ACTIONS
    }


def _packages(tree: Path, sources: Sources, opa: Path) -> dict[tuple[str, ...], _Package]:
    files = {source.path: source for source in sources.of(Kind.REGO)}
    contents = {path: source.content.decode("utf-8", "replace") for path, source in files.items()}
    ended = accepted(
        run(
            opa,
            ["eval", "--format", "json", "--stdin-input", _PARSE],
            folder=tree,
            stdin=json.dumps(contents).encode(),
        ),
        sources,
    )
    parsed: dict[str, Any] = json.loads(ended.stdout)["result"][0]["expressions"][0]["value"]
    packages: dict[tuple[str, ...], _Package] = {}
    for file in sorted(files):
        source = files[file]
        path = tuple(parsed[file]["package"][1:])
        if path != tuple(source.folder.split("/")):
            raise BadPolicy(
                f"the package {'.'.join(path)!a} stands in the folder {source.folder}",
                where=f"{source.label}:1",
                next_step=f"Write package {source.folder.replace('/', '.')}",
            )
        if parsed[file]["prints"]:
            raise BadPolicy(
                "print would write what is judged to OPA's log",
                where=f"{source.label}:{_first_line(source, 'print')}",
                next_step="Remove it",
            )
        known = packages.get(path)
        packages[path] = _Package(
            path,
            (*(known.sources if known else ()), source),
            frozenset(parsed[file]["defines"]) | (known.defines if known else frozenset()),
        )
    return packages


def _first_line(source: Source, word: str) -> int:
    lines = source.content.decode("utf-8", "replace").splitlines()
    return next((row for row, line in enumerate(lines, 1) if re.search(rf"^[^#]*\b{word}\(", line)), 1)


def _metadata(tree: Path, sources: Sources, opa: Path) -> dict[tuple[str, ...], _Metadata]:
    ended = accepted(run(opa, ["inspect", "--annotations", "--format", "json", "."], folder=tree), sources)
    files = {source.path: source for source in sources.of(Kind.REGO)}
    found: dict[tuple[str, ...], _Metadata] = {}
    for item in json.loads(ended.stdout).get("annotations", ()):
        if item["annotations"].get("scope") != "package":
            continue
        path = tuple(part["value"] for part in item["path"][1:])
        source = files[item["location"]["file"].removeprefix("./")]
        row = item["location"]["row"]
        found[path] = _Metadata(item["annotations"], source, row)
    return found


def _entry(package: _Package, metadata: _Metadata | None, scope: Scope) -> dict[str, Any]:
    if not all(map(_NAME.fullmatch, package.path[len(_RULES) :])):
        raise BadPolicy(
            f"{package.rule!a} is not the id of a rule, category.rule",
            where=package.where,
            next_step="Name its two folders with letters, digits, _ and - only",
        )
    if metadata is None:
        raise BadPolicy(
            f"the rule {package.rule} has no METADATA",
            where=package.where,
            next_step="Write it above the package",
        )
    if "terms" not in package.defines or not package.defines & {"must", "should"}:
        raise BadPolicy(
            f"the rule {package.rule} judges nothing: it must define terms, and must or should",
            where=f"{metadata.source.label}:{metadata.row}",
            next_step="Define them, or remove the folder",
        )
    content = metadata.content
    custom = content.get("custom", {})
    with Faults() as faults:
        for key in custom:
            if key not in _CUSTOM:
                faults.add(
                    f"the rule {package.rule} has the unknown annotation {key!r}",
                    where=metadata.where(key),
                    next_step=advice(key, _CUSTOM),
                )
        # One that is misspelt is missing as well: one typo is not to be told twice.
        misspelt = {nearest(key, _CUSTOM) for key in custom if key not in _CUSTOM}
        _check(package, metadata, _STANDARD, content, faults)
        _check(package, metadata, {k: v for k, v in _CUSTOM.items() if k not in misspelt}, custom, faults)
    environments = custom.get("environments", list(scope.environments))
    for name in environments:
        if name not in scope.environments and name not in scope.former:
            raise BadPolicy(
                f"there is no environment {name!r}",
                where=metadata.where("environments"),
                next_step=advice(name, scope.environments),
            )
    return {
        **{key: content[key] for key in _STANDARD},
        **custom,
        "environments": environments,
        "thresholds": sorted(custom.get("thresholds", {})),
        "defined_at": f"{metadata.source.label}:{metadata.row}",
    }


def _check_replacements(
    catalogue: Mapping[str, Mapping[str, Any]],
    packages: Mapping[tuple[str, ...], _Package],
    metadata: Mapping[tuple[str, ...], _Metadata],
) -> None:
    """A rule replaces one of an earlier root, and no two replace the same one."""
    replaced: dict[str, str] = {}
    for rule, about in catalogue.items():
        if "replaces" not in about:
            continue
        target = about["replaces"]["rule"]
        path = _path(rule)
        where = metadata[path].where("replaces")
        if target not in catalogue:
            raise BadPolicy(
                f"the rule {rule} replaces {target!a}, which does not exist",
                where=where,
                next_step=advice(target, catalogue),
            )
        if packages[_path(target)].sources[0].root >= packages[path].sources[0].root:
            raise BadPolicy(
                f"the rule {rule} replaces {target}, which is not of an earlier folder of policies",
                where=where,
                next_step=f"Change {target} itself",
            )
        if about["waivable"] and not catalogue[target]["waivable"]:
            raise BadPolicy(
                f"the rule {rule} can be waived, and {target}, which it replaces, cannot",
                where=metadata[path].where("waivable"),
                next_step="Write waivable: false",
            )
        if (other := replaced.setdefault(target, rule)) != rule:
            raise BadPolicy(
                f"the rule {target} is replaced by {other} and by {rule}",
                where=where,
                next_step="Let one rule replace it",
            )


def _path(rule: str) -> tuple[str, ...]:
    return (*_RULES, *rule.split("."))


def _check(
    package: _Package,
    metadata: _Metadata,
    annotations: Mapping[str, _Annotation],
    content: Mapping[str, Any],
    faults: Faults,
) -> None:
    for key, annotation in annotations.items():
        if key not in content:
            if annotation.required:
                faults.add(
                    f"the rule {package.rule} lacks the annotation {key}",
                    where=metadata.where(key),
                    next_step=f"Add {key}: {annotation.described}",
                )
        elif not annotation.fits(content[key]):
            faults.add(
                f"{key} of the rule {package.rule} is not {annotation.described}",
                where=metadata.where(key),
                next_step="Correct it",
            )


def _declarations(path: Sequence[str], metadata: _Metadata) -> list[Declaration]:
    thresholds = metadata.content.get("custom", {}).get("thresholds", {})
    if not isinstance(thresholds, dict):
        raise BadPolicy(
            f"thresholds of the package {'.'.join(path)} is not a mapping of names to schemas",
            where=metadata.where("thresholds"),
            next_step="Correct it",
        )
    return [declaration(name, thresholds[name], metadata.where(name)) for name in sorted(thresholds)]
