"""What rules say of the thresholds that they read: `custom.thresholds` in a package's METADATA."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ..errors import BadPolicy
from ..nearest import advice
from ..strict_json import same
from ..strict_yaml import boolean_advice

ANY_NAME = "*"
"""As the last part of a name: every setting of the group."""

_TYPES: Mapping[str, tuple[str, Callable[[Any], bool]]] = {
    "number": ("a number", lambda value: isinstance(value, int | float) and not isinstance(value, bool)),
    "integer": ("an integer", lambda value: isinstance(value, int) and not isinstance(value, bool)),
    "string": ("text", lambda value: isinstance(value, str)),
    "boolean": ("true or false", lambda value: isinstance(value, bool)),
    "array": ("a list", lambda value: isinstance(value, list)),
}
_BOUNDS: Mapping[str, tuple[str, Callable[[Any, Any], bool]]] = {
    "minimum": ("at least", lambda value, bound: value >= bound),
    "maximum": ("at most", lambda value, bound: value <= bound),
    "exclusiveMinimum": ("more than", lambda value, bound: value > bound),
    "exclusiveMaximum": ("less than", lambda value, bound: value < bound),
}
_TEXTS = ("description", "unit")
_OF_ITEMS = ("type", *_BOUNDS, "enum", "items", "minItems", "uniqueItems", "minLength", *_TEXTS)
_TIGHTENS = "tightens"
_KEYWORDS = (*_OF_ITEMS, _TIGHTENS)


class Direction(StrEnum):
    """Which way a value must move to be harder to satisfy.

    Up is a larger number, a longer list, or `true`. A group whose values have a direction is one of which
    each setting is something more to satisfy.
    """

    UP = "up"
    DOWN = "down"


_HARDER: Mapping[str, Mapping[Direction, str]] = {
    "number": {Direction.UP: "a higher one", Direction.DOWN: "a lower one"},
    "array": {Direction.UP: "a longer one", Direction.DOWN: "a shorter one"},
    "boolean": {Direction.UP: "true", Direction.DOWN: "false"},
}


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a value is not what was declared."""

    what: str
    next_step: str


@dataclass(frozen=True, slots=True)
class Declaration:
    """One threshold, or group of thresholds, that a package reads."""

    name: tuple[str, ...]
    """Such as `("performance", "minimum", "*")`."""
    schema: Mapping[str, Any]
    """JSON Schema keywords, and `tightens`."""
    where: str
    """File and line."""

    @property
    def is_group(self) -> bool:
        """Whether it stands for every setting of a group."""
        return self.name[-1] == ANY_NAME

    @property
    def dotted(self) -> str:
        """As written: `performance.minimum.*`."""
        return ".".join(self.name)

    @property
    def tightens(self) -> Direction | None:
        """Which way a change makes it harder to satisfy; `None` where nobody says."""
        return Direction(self.schema[_TIGHTENS]) if _TIGHTENS in self.schema else None

    @property
    def unit(self) -> str:
        """What a number counts, such as `days`; empty where that is not declared."""
        unit: str = self.schema.get("unit", "")
        return unit

    @property
    def described(self) -> str:
        """What it may be, in words: `a number, at least 0, at most 1; a lower one is harder to satisfy`."""
        words = _described(self.schema)
        if self.tightens is None:
            return words
        harder = _HARDER.get(self.schema["type"], _HARDER["number"])[self.tightens]
        return f"{words}; {harder} is harder to satisfy"

    def covers(self, name: tuple[str, ...]) -> bool:
        """Whether it speaks of this setting."""
        return (
            name[:-1] == self.name[:-1]
            if self.is_group and len(name) == len(self.name)
            else name == self.name
        )

    def fault(self, value: Any) -> Fault | None:
        """Why the value cannot be used; `None` if it can."""
        return _fault(value, self.schema)


def declaration(name: str, schema: Any, where: str) -> Declaration:
    """Read one entry of `custom.thresholds`. `BadPolicy` if it cannot be understood."""
    parts = tuple(name.split("."))
    if len(parts) < 2 or not all(parts) or ANY_NAME in parts[:-1]:  # noqa: PLR2004
        raise BadPolicy(
            f"{name!r} is not the name of a threshold",
            where=where,
            next_step="Write it as file.setting or file.group.*",
        )
    _check_schema(name, schema, where)
    return Declaration(parts, schema, where)


def _check_schema(name: str, schema: Any, where: str, keywords: Sequence[str] = _KEYWORDS) -> None:
    if not isinstance(schema, dict):
        raise BadPolicy(
            f"{name} has no schema", where=where, next_step="Write it as {type: number, minimum: 0}"
        )
    for keyword, value in schema.items():
        if keyword not in keywords:
            raise BadPolicy(
                f"{name} has the unknown keyword {keyword!r}",
                where=where,
                next_step=advice(keyword, keywords),
            )
        if keyword in _TEXTS and not _TYPES["string"][1](value):
            raise BadPolicy(f"{keyword} of {name} is not text", where=where, next_step="Correct it")
        if keyword in (*_BOUNDS, "minItems", "minLength") and not _TYPES["number"][1](value):
            raise BadPolicy(f"{keyword} of {name} is not a number", where=where, next_step="Correct it")
    kind = schema.get("type")
    if not isinstance(kind, str) or kind not in _TYPES:
        raise BadPolicy(f"{name} has no known type", where=where, next_step=advice(str(kind or ""), _TYPES))
    if _TIGHTENS in schema:
        _check_direction(name, schema, where)
    if "enum" in schema and not (isinstance(schema["enum"], list) and schema["enum"]):
        raise BadPolicy(f"enum of {name} is not a list", where=where, next_step="List the values")
    if "items" in schema:
        _check_schema(name, schema["items"], where, _OF_ITEMS)


def _check_direction(name: str, schema: Mapping[str, Any], where: str) -> None:
    if schema["type"] == "string":
        raise BadPolicy(
            f"{name} is text, which has no direction", where=where, next_step=f"Remove {_TIGHTENS}"
        )
    if schema[_TIGHTENS] not in tuple(Direction):
        raise BadPolicy(
            f"{_TIGHTENS} of {name} is not a direction",
            where=where,
            next_step="Write up where a larger number or a longer list is harder to satisfy, else down",
        )


def _described(schema: Mapping[str, Any]) -> str:
    words = [_TYPES[schema["type"]][0]]
    words += [f"{bound} {schema[keyword]}" for keyword, (bound, _) in _BOUNDS.items() if keyword in schema]
    if "enum" in schema:
        words.append(f"one of {', '.join(map(_shown, schema['enum']))}")
    if schema.get("minLength", 0) > 1:
        words.append(f"at least {schema['minLength']} characters long")
    if "minItems" in schema:
        words.append(f"of {schema['minItems']} or more")
    if "items" in schema:
        words.append(f"each item {_described(schema['items'])}")
    if schema.get("uniqueItems"):
        words.append("none twice")
    return ", ".join(words)


def _fault(value: Any, schema: Mapping[str, Any]) -> Fault | None:
    described, fits = _TYPES[schema["type"]]
    if not fits(value):
        meant = boolean_advice(value) if schema["type"] == "boolean" else None
        return Fault(f"{_shown(value)} is not {described}", meant or f"Write {described}")
    for keyword, (words, holds) in _BOUNDS.items():
        if keyword in schema and not holds(value, schema[keyword]):
            return Fault(
                f"{_shown(value)} is out of range", f"Write a number that is {words} {schema[keyword]}"
            )
    if "enum" in schema and not any(same(value, known) for known in schema["enum"]):
        return Fault(
            f"{_shown(value)} is not one of the known values", advice(str(value), map(str, schema["enum"]))
        )
    if isinstance(value, list):
        return _fault_of_list(value, schema)
    if isinstance(value, str) and len(value) < schema.get("minLength", 0):
        return Fault(f"{_shown(value)} is too short", f"Write at least {schema['minLength']} characters")
    return None


def _fault_of_list(value: list[Any], schema: Mapping[str, Any]) -> Fault | None:
    if len(value) < schema.get("minItems", 0):
        return Fault("the list is too short", f"Name at least {schema['minItems']}")
    if schema.get("uniqueItems") and any(
        same(item, other) for at, item in enumerate(value) for other in value[:at]
    ):
        return Fault("the list names something twice", "Remove one of them")
    faults = (_fault(item, schema["items"]) for item in value if "items" in schema)
    return next((fault for fault in faults if fault is not None), None)


def _shown(value: Any) -> str:
    return "a mapping" if isinstance(value, dict) else "nothing" if value is None else json.dumps(value)[:80]
