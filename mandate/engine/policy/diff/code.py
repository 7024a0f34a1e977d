"""Rego that is parsed otherwise than before: of a rule, or shared by several."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from functools import cached_property
from pathlib import Path
from typing import Any

from ...digests import canonical
from ..build import Compiled
from ..command import run
from ..complaints import accepted
from ..sources import Kind as SourceKind
from ..sources import Source
from .changes import Change, Effect, Kind, Section, Words, listed

_PARSE = "[{path: rego.parse_module(path, content) | some path, content in files} | some files in input]"
_RULES = "mandate.rules."
_MAIN = "mandate.main"
_MANY = 6
"""So many rules are counted and not named."""


@dataclass(frozen=True)
class _Package:
    name: str
    sources: Sequence[Source]
    modules: Sequence[Mapping[str, Any]]

    @property
    def code(self) -> bytes:
        """What it defines and imports. Comments, format and order make no difference."""
        parts = [
            canonical({kind: part})
            for module in self.modules
            for kind in ("imports", "rules")
            for part in module.get(kind, ())
        ]
        return b"\n".join(sorted(parts))

    @cached_property
    def reads(self) -> frozenset[str]:
        """What it refers to below `data`, with dots at both ends."""
        return frozenset(_references([*self.modules]))


def changes(old: Compiled, new: Compiled, *, opa: Path) -> Iterator[Change]:
    """The packages that both revisions have, and shared ones that are new or gone."""
    before, after = _packages([old, new], opa)
    for name in sorted({*before, *after}):
        was, now = before.get(name), after.get(name)
        if was and now and was.code == now.code:
            continue
        if name.startswith(_RULES) and not (was and now):
            continue
        kind = Kind.CHANGED if was and now else Kind.ADDED if now else Kind.REMOVED
        files = _labels(now or was)
        rule = name.removeprefix(_RULES)
        said: Words
        if rule != name:
            said = ("changes its logic, in ", *listed(files))
        else:
            affected = {rule for packages in (before, after) for rule in _readers(name, packages)}
            verb = {Kind.ADDED: "is new", Kind.REMOVED: "is gone", Kind.CHANGED: "changes"}[kind]
            said = (f"{verb}, in ", *listed(files), *_affecting(sorted(affected), len(after)))
        yield Change(Section.CODE, kind, Effect.OTHER, rule, "", said, patch=_patch(was, now))


def _packages(revisions: Sequence[Compiled], opa: Path) -> list[dict[str, _Package]]:
    files = [compiled.sources.of(SourceKind.REGO) for compiled in revisions]
    texts = [{source.path: source.content.decode("utf-8", "replace") for source in each} for each in files]
    ended = accepted(
        run(
            opa,
            ["eval", "--format", "json", "--stdin-input", _PARSE],
            folder=opa.parent,
            stdin=json.dumps(texts).encode(),
        ),
        revisions[-1].sources,
    )
    parsed = json.loads(ended.stdout)["result"][0]["expressions"][0]["value"]
    found: list[dict[str, _Package]] = []
    for sources, modules in zip(files, parsed, strict=True):
        folders: dict[str, list[Source]] = {}
        for source in sources:
            folders.setdefault(source.folder.replace("/", "."), []).append(source)
        found.append(
            {
                name: _Package(name, each, [modules[source.path] for source in each])
                for name, each in folders.items()
            }
        )
    return found


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for item in node:
            yield from _references(item)
    elif isinstance(node, dict):
        if node.get("type") == "ref" and node["value"][0].get("value") == "data":
            parts = [part["value"] for part in node["value"][1:] if part["type"] == "string"]
            yield f".{'.'.join(parts)}."
        for key, value in node.items():
            if key != "package":
                yield from _references(value)


def _readers(name: str, packages: Mapping[str, _Package]) -> Iterator[str]:
    """The rules that lead to the package; every rule, if `main` does."""
    reached = {name}
    while found := {
        package.name
        for package in packages.values()
        if package.name not in reached
        and any(read.startswith(f".{other}.") for other in reached for read in package.reads)
    }:
        reached |= found
    rules = [other for other in packages if other.startswith(_RULES)]
    return (rule.removeprefix(_RULES) for rule in rules if _MAIN in reached or rule in reached)


def _affecting(rules: Sequence[str], packages: int) -> Words:
    if len(rules) >= _MANY:
        return (f", which affects {len(rules):,} rules",)
    return (", which affects ", *listed(rules)) if rules else (", which no rule reads",)


def _labels(package: _Package | None) -> list[str]:
    return [source.label for source in package.sources] if package else []


def _patch(old: _Package | None, new: _Package | None) -> str:
    before, after = (
        {source.label: source.content.decode("utf-8", "replace") for source in (each.sources if each else ())}
        for each in (old, new)
    )
    lines: list[str] = []
    for label in sorted({*before, *after}):
        lines += unified_diff(
            before.get(label, "").splitlines(),
            after.get(label, "").splitlines(),
            f"a/{label}",
            f"b/{label}",
            lineterm="",
        )
    return "\n".join(lines)
