"""What a failed test compared: both sides of the expression that was not true, as values.

OPA says which test failed, and draws the values below its text. Here the test's own expressions are evaluated
again, in its own package: for each expression a probe that holds where all expressions before it do, and has
the values of both sides if it is a comparison. The last probe that holds is of the expression that failed.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from .command import run
from .comparing import likeness

_OPERATORS = {"assign": ":=", "equal": "==", "member_2": "in", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_NAME = "mandate_probe_"
_NO_VALUES = f"{_NAME}expected := []; {_NAME}got := []"
_SIDES = 3
"""An operator and its two operands."""


@dataclass(frozen=True, slots=True)
class Value:
    """One side of a comparison."""

    json: Any
    """A set is a list in order."""
    is_set: bool = False
    is_defined: bool = True


@dataclass(frozen=True, slots=True)
class Compared:
    """An expression of a test that was not true."""

    expression: str
    """As it is written, without what `with` says."""
    operator: str
    """`==`, `in`, `>`, `>=`, `<` or `<=`; `:=` where a value is undefined that was to be assigned."""
    expected: Value
    got: Value


@dataclass(frozen=True, slots=True)
class Failed:
    """A failed test, or a failed case of one."""

    package: str
    """With `data.`."""
    test: str
    case: tuple[str, ...]
    file: str
    """In the tree."""


@dataclass(frozen=True, slots=True)
class _Probe:
    failed: Failed
    expression: str
    operator: str
    body: str


def compared(
    failures: Sequence[Failed], tree: Path, opa: Path, restrictions: Sequence[str]
) -> dict[Failed, Compared]:
    """What these failed at, for those whose expression is a comparison and can be evaluated apart."""
    last: dict[Failed, tuple[_Probe, Mapping[str, Any]]] = {}
    by_file: dict[str, list[Failed]] = {}
    for failed in failures:
        by_file.setdefault(failed.file, []).append(failed)
    for file, failed_there in by_file.items():
        module = _parsed(file, tree, opa)
        probes = [probe for failed in failed_there for probe in _probes(failed, module)]
        for probe, held in zip(probes, _evaluated(module, probes, tree, opa, restrictions), strict=True):
            if held:  # a later expression is only reached where those before it are true
                last[probe.failed] = (probe, held[0])
    return {failed: _result(probe, held) for failed, (probe, held) in last.items() if probe.operator}


def _parsed(file: str, tree: Path, opa: Path) -> dict[str, Any]:
    ended = run(
        opa, ["parse", "--format", "json", "--json-include", "locations,-comments", file], folder=tree
    )
    module: dict[str, Any] = json.loads(ended.stdout)
    return module


def _text(node: Mapping[str, Any]) -> str:
    return b64decode(node["location"]["text"]).decode("utf-8", "replace")


def _probes(failed: Failed, module: Mapping[str, Any]) -> Iterator[_Probe]:
    definitions = [rule for rule in module.get("rules", ()) if rule["head"]["ref"][0]["value"] == failed.test]
    for rule in definitions:
        keys = rule["head"]["ref"][1:] or ([rule["head"]["key"]] if "key" in rule["head"] else [])
        if len(keys) != len(failed.case):
            continue
        chosen = [
            f'sprintf("%v", [{_text(key)}]) == {json.dumps(name)}'
            for key, name in zip(keys, failed.case, strict=True)
        ]
        before: list[str] = []
        for expression in rule["body"]:
            # Whatever says which case it is comes first, and could not fail for one case alone.
            if all(re.search(rf"\b{re.escape(_text(key))}\b", "\n".join(before)) for key in keys):
                sides, operator = _sides(expression)
                yield _Probe(
                    failed, _shown(expression, operator), operator, "\n".join([*before, *chosen, *sides])
                )
            before.append(_text(expression))


def _sides(expression: Mapping[str, Any]) -> tuple[list[str], str]:
    """Assignments of the values of what is expected and of what is held against it, and the operator."""
    scope = " ".join(_text(each) for each in expression.get("with", ()))
    terms = expression["terms"]
    if not expression.get("negated") and isinstance(terms, list) and len(terms) == _SIDES:
        operator = _OPERATORS.get(terms[0]["value"][-1]["value"], "")
        left, right = map(_text, terms[1:])
        if operator == "in":
            return [_assigned("expected", left, scope), _assigned("got", right, scope)], operator
        if operator not in ("", ":="):
            return [_assigned("expected", right, scope), _assigned("got", left, scope)], operator
        return [_NO_VALUES], operator
    return [_NO_VALUES], ""


def _assigned(side: str, text: str, scope: str) -> str:
    """A list of the value, which is empty where it is undefined."""
    value = f"{_NAME}value"
    return f'{_NAME}{side} := [{{"value": {value}, "is_set": is_set({value})}} | {value} := {text} {scope}]'


def _shown(expression: Mapping[str, Any], operator: str) -> str:
    """In one line; without what `with` says, except where that may be what is undefined."""
    text = _text(expression)
    for scope in expression.get("with", ())[:1]:
        text = text if operator == ":=" else text[: text.index(_text(scope))]
    return " ".join(text.split())


def _evaluated(
    module: Mapping[str, Any], probes: Sequence[_Probe], tree: Path, opa: Path, restrictions: Sequence[str]
) -> list[list[Any]]:
    """What each probe holds for; nothing for all of them if they cannot be evaluated."""
    if not probes:
        return []
    with TemporaryDirectory(prefix="mandate-probes-") as folder:
        file = Path(folder).resolve() / "probes.rego"
        file.write_text(_module(module, probes), encoding="utf-8")
        package = _reference(module)
        query = f"[{', '.join(f'{package}.{_NAME}{number}' for number in range(len(probes)))}]"
        loaded = ["--bundle", ".", "--data", str(file)]
        ended = run(opa, ["eval", "--format", "json", *loaded, *restrictions, query], folder=tree)
    if ended.status != 0:
        return [[] for _ in probes]
    values: list[list[Any]] = json.loads(ended.stdout)["result"][0]["expressions"][0]["value"]
    return values


def _module(module: Mapping[str, Any], probes: Sequence[_Probe]) -> str:
    """The probes in the test's package, which they may refer to as the test may, with its imports."""
    imports = [
        f"import {_text(each['path'])}" + (f" as {each['alias']}" if "alias" in each else "")
        for each in module.get("imports", ())
    ]
    rules = [
        f'{_NAME}{number} contains {{"expected": {_NAME}expected, "got": {_NAME}got}} if {{\n{probe.body}\n}}'
        for number, probe in enumerate(probes)
    ]
    return "\n\n".join([f"package {_reference(module).removeprefix('data.')}", *imports, *rules, ""])


def _reference(module: Mapping[str, Any]) -> str:
    first, second, *rest = (part["value"] for part in module["package"]["path"])
    return f"{first}.{second}" + "".join(f"[{json.dumps(part)}]" for part in rest)


def _result(probe: _Probe, held: Mapping[str, Any]) -> Compared:
    expected, got = (_side(held[side]) for side in ("expected", "got"))
    found = _nearest(expected, got) if probe.operator == "in" else got
    return Compared(probe.expression, probe.operator, expected, found)


def _side(values: Sequence[Mapping[str, Any]]) -> Value:
    """From a list of the value, which is empty where the side is undefined."""
    return Value(values[0]["value"], values[0]["is_set"]) if values else Value(None, is_defined=False)


def _nearest(item: Value, collection: Value) -> Value:
    """The member that is most like the item that is not among them; all of them if none is like it."""
    members = collection.json.values() if isinstance(collection.json, dict) else collection.json or ()
    alike = max(members, key=lambda member: likeness(item.json, member), default=None)
    return Value(alike) if likeness(item.json, alike) else collection
