"""Which rules a change of policies can reach: all others find what they found before.

`reached(old, new)` promises: on any input, a rule that it does not name is judged or not by both revisions
alike, with the same findings. It says `None` wherever it cannot promise that, and then everything has to be
judged. It looks at what decides, and at nothing that is only declared:

- The library's own Rego (`mandate/main`, `mandate/lib`) must be the one that travels with this Mandate, and
  all other Rego outside of rules, the scope, the people and the selection must be the same on both sides.
- A rule is reached if its Rego or that of a package it uses differs, if its entry in the catalogue or where
  it applies differs, if a waiver that names it differs, or if it reads a threshold that differs, were it only
  the line that sets it. Rules that replace each other are reached together.
- What a rule reads is taken from its syntax tree. Rego that looks at other than thresholds, the scope, the
  people and packages, such as the selection or other rules' annotations, could find something else for any
  change.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ... import share
from ..errors import BadPolicy, OpaUnavailable
from ..policy.bundle import Bundle
from ..policy.command import run
from ..policy.sources import RESERVED, Kind, Sources

_DATA = {"applicable", "catalogue", "people", "scope", "selection", "thresholds", "waivers"}
_ALIKE = (("mandate", "people"), ("mandate", "scope"))
"""Data that rules may read, because both sides must have the same."""
_RULES = "mandate/rules/"
_ARGUED = ("mandate/main", "mandate/lib")
"""Folders of the library of which `reached` itself is a reading."""

_REFERENCES = """{file: facts |
  some file, content in input
  module := rego.parse_module(file, content)
  facts := {
    "imports": [{"path": path, "alias": object.get(each, "alias", path[count(path) - 1])} |
      some each in object.get(module, "imports", [])
      path := [part.value | some part in each.path.value]
    ],
    "refs": {[node.value[0].value, parts] |
      walk(module.rules, [_, node])
      node.type == "ref"
      node.value[0].type == "var"
      parts := [object.get({"string": part.value}, part.type, null) | some i, part in node.value; i > 0]
    },
    "names": {node.value |
      walk(module.rules, [path, node])
      node.type == "var"
      above := object.get(module, array.concat(["rules"], array.slice(path, 0, count(path) - 2)), {})
      not [object.get(above, "type", ""), array.slice(path, count(path) - 1, count(path))] == ["ref", [0]]
    },
  }}"""
"""A Rego query over `{file: content}`: what each file imports, what it refers to, and its other variables.

A reference is its first variable and what follows, null where that is not a constant.
"""

Reference = tuple[str, ...]
"""Below `data` or `input`, where these two are not its first part."""


@dataclass(frozen=True, slots=True)
class _Policies:
    """What decides, of one revision."""

    data: Mapping[str, Any]
    texts: Mapping[str, Mapping[str, bytes]]
    """The Rego: for each folder, which is a package, its files."""
    reads: Mapping[str, frozenset[Reference]]
    """What each folder's Rego refers to below `data`."""
    inputs: Mapping[str, frozenset[Reference]]
    """The same below `input`."""

    @property
    def outside(self) -> dict[str, Mapping[str, bytes]]:
        """The Rego that is no rule's."""
        return {folder: files for folder, files in self.texts.items() if not folder.startswith(_RULES)}


class _NotUnderstood(Exception):
    """Nothing can be promised."""


class Reach:
    """What changes from earlier revisions to this one reach. `opa` reads Rego, and judges nothing here."""

    def __init__(self, new: Bundle, *, opa: Path) -> None:
        self._opa = opa
        self._revision = new.revision
        self._new: _Policies | None
        try:
            self._new = _policies(new, opa)
            _demand_the_library(self._new)
        except (_NotUnderstood, BadPolicy, OpaUnavailable):
            self._new = None

    def of(self, old: Bundle) -> frozenset[str] | None:
        """The rules that may find something else than by `old`; `None` if any may."""
        if self._new is None:
            return None
        try:
            return _reached(_policies(old, self._opa), self._new)
        except (_NotUnderstood, BadPolicy, OpaUnavailable):
            return None

    def sections(self, rules: Set[str]) -> frozenset[str] | None:
        """The sections of an input that can be read where these rules alone judge; `None` if any may be.

        All Rego that is no rule's counts, used or not.
        """
        if self._new is None:
            return None
        packages = {*self._new.outside}
        for rule in self._new.data["catalogue"].keys() & rules:
            packages |= _closure(_folder(rule), self._new)[0]
        read = {path[:1] for package in packages for path in self._new.inputs.get(package, ())}
        return None if () in read else frozenset(section for (section,) in read)


def _policies(bundle: Bundle, opa: Path) -> _Policies:
    sources = bundle.sources
    if bundle.data.keys() != _DATA or sources.revision != bundle.revision:
        raise _NotUnderstood
    texts: dict[str, dict[str, bytes]] = defaultdict(dict)
    for source in sources.of(Kind.REGO):
        texts[source.folder][source.path] = source.content
    references = _references(sources, opa)
    return _Policies(bundle.data, dict(texts), _below("data", references), _below("input", references))


def _below(root: str, references: Mapping[str, Set[Reference]]) -> dict[str, frozenset[Reference]]:
    return {
        folder: frozenset(path[1:] for path in paths if path[0] == root)
        for folder, paths in references.items()
    }


def _demand_the_library(policies: _Policies) -> None:
    for argued in _ARGUED:
        for file in (share.policies() / argued).rglob("*.rego"):
            path = file.relative_to(share.policies()).as_posix()
            if path.endswith("_test.rego"):
                continue
            if policies.texts.get(path.rpartition("/")[0], {}).get(path) != file.read_bytes():
                raise _NotUnderstood


def _reached(old: _Policies, new: _Policies) -> frozenset[str]:
    if any(old.data[name] != new.data[name] for name in ("people", "scope", "selection")):
        raise _NotUnderstood
    if old.outside != new.outside:
        raise _NotUnderstood
    settings = {*_differing(old.data["thresholds"], new.data["thresholds"])}
    for folder in new.outside:
        if any(_meets(path, settings) for path in new.reads[folder] if path[:2] == ("mandate", "thresholds")):
            raise _NotUnderstood
    differing = {
        folder for folder in old.texts.keys() | new.texts if _text(old, folder) != _text(new, folder)
    }
    found: set[str] = {*_waived(old.data["waivers"], new.data["waivers"])}
    before, after = old.data["catalogue"], new.data["catalogue"]
    for rule in before.keys() | after:
        if _entry(old.data, rule) != _entry(new.data, rule):
            found.add(rule)
        folder = _folder(rule)
        for side in (old, new):
            if rule not in side.data["catalogue"]:
                continue
            if folder not in side.texts:
                raise _NotUnderstood
            # Where it is known to be reached, too: it is judged alone only if what it reads is understood.
            packages, read = _closure(folder, side)
            if packages & differing or any(_meets(path, settings) for path in read):
                found.add(rule)
    return _together(found, (before, after))


def _folder(rule: str) -> str:
    return _RULES + rule.replace(".", "/")


def _text(policies: _Policies, folder: str) -> Mapping[str, bytes]:
    return policies.texts.get(folder, {})


def _differing(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Reference]:
    """File and name of each setting, or group of them, that differs."""
    for file in old.keys() | new.keys():
        one, other = old.get(file, {}), new.get(file, {})
        for name in one.keys() | other.keys():
            if one.get(name) != other.get(name):
                yield (file, name)
        if (file in old) != (file in new):
            yield (file,)


def _meets(path: Reference, settings: Iterable[Reference]) -> bool:
    """Whether a reference to `path` may see one of the settings."""
    read = path[2:]
    return any(all(one == other for one, other in zip(read, setting, strict=False)) for setting in settings)


def _waived(old: list[Mapping[str, Any]], new: list[Mapping[str, Any]]) -> Iterator[str]:
    """The rules that waivers on one side name which are not on the other one."""
    for waivers, others in ((old, new), (new, old)):
        for waiver in waivers:
            if waiver not in others:
                yield waiver["rule"].partition(":")[0]


def _entry(data: Mapping[str, Any], rule: str) -> Any:
    """What is said of the rule, other than where."""
    if rule not in data["catalogue"]:
        return None
    said = {name: value for name, value in data["catalogue"][rule].items() if name != "defined_at"}
    where = {
        (action, environment): rules.get(rule)
        for action, environments in data["applicable"].items()
        for environment, rules in environments.items()
    }
    return said, where


def _together(rules: set[str], catalogues: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """With all that they replace, and that replaces them."""
    pairs = {
        (rule, about["replaces"]["rule"])
        for catalogue in catalogues
        for rule, about in catalogue.items()
        if "replaces" in about
    }
    while more := {one for pair in pairs if rules & {*pair} for one in pair} - rules:
        rules |= more
    return frozenset(rules)


def _closure(folder: str, policies: _Policies) -> tuple[set[str], set[Reference]]:
    """The packages that this one's Rego can use, itself included, and the settings that these refer to."""
    packages: set[str] = set()
    settings: set[Reference] = set()
    following = [folder]
    while following:
        package = following.pop()
        if package in packages:
            continue
        packages.add(package)
        for path in policies.reads[package]:
            if path[:2] == ("mandate", "thresholds"):
                settings.add(path)
            elif path[:2] not in _ALIKE:
                following.append(_package(path, policies))
    return packages, settings


def _package(path: Reference, policies: _Policies) -> str:
    """The one package to which a reference leads."""
    if path[:1] != ("mandate",) or path[1:2] == () or path[1] in RESERVED:
        raise _NotUnderstood
    whole = "/".join(path)
    if any(folder.startswith(f"{whole}/") for folder in policies.texts):
        # Several packages in one: it depends on what follows, which is no constant.
        raise _NotUnderstood
    for length in range(len(path), 0, -1):
        folder = "/".join(path[:length])
        if folder in policies.texts:
            return folder
    raise _NotUnderstood


def _references(sources: Sources, opa: Path) -> dict[str, set[Reference]]:
    """What the Rego in each folder refers to, beginning with `data` or `input`."""
    files = {source.path: source for source in sources.of(Kind.REGO)}
    contents = {path: source.content.decode("utf-8", "replace") for path, source in files.items()}
    ended = run(
        opa,
        ["eval", "--format", "json", "--stdin-input", _REFERENCES],
        folder=Path("/"),
        stdin=json.dumps(contents).encode(),
    )
    try:
        parsed = json.loads(ended.stdout)["result"][0]["expressions"][0]["value"]
    except (ValueError, KeyError, IndexError) as error:
        raise _NotUnderstood from error
    if parsed.keys() != files.keys():
        raise _NotUnderstood
    found: dict[str, set[Reference]] = defaultdict(set)
    for path, facts in parsed.items():
        found[files[path].folder] |= {*_in_file(facts)}
    return found


def _in_file(facts: Mapping[str, Any]) -> Iterator[Reference]:
    """All that the file refers to, by its imports too."""
    known: dict[str, Reference] = {root: (root,) for root in ("data", "input")}
    for each in facts["imports"]:
        if each["path"][0] in ("data", "input"):
            known[each["alias"]] = tuple(each["path"])
    for name in facts["names"]:
        if name in known:
            yield known[name]
    for name, parts in facts["refs"]:
        if name in known:
            constant = parts[: parts.index(None)] if None in parts else parts
            yield (*known[name], *constant)
