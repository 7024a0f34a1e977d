"""YAML 1.2 without its traps, with the line of every value.

What is read by the core schema (YAML 1.2.2, 10.3.2) is `null`, booleans `true` and `false`, integers,
finite numbers and text: `no` is text and a date is text. Refused: keys that stand twice or are not text,
anchors and aliases, tags, directives, merge keys, several documents, tabs, numbers that JSON cannot carry
exactly, nesting deeper than 32, files over 1 MiB. Faults are raised as the error class that the caller names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from .errors import BadRequest

MAX_BYTES = 1 << 20
MAX_DEPTH = 32

Place = tuple[str | int, ...]
"""Keys and indices (from 0) that lead from the document's root to a value."""

_MAX_EXACT_INTEGER = 2**53 - 1
_MAX_DIGITS = 32
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)|0o[0-7]+|0x[0-9a-fA-F]+")
_PADDED = re.compile(r"[-+]?0[0-9]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_CONSTANTS: Mapping[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_YAML_1_1_BOOLEANS = {"y": True, "yes": True, "on": True, "n": False, "no": False, "off": False}


@dataclass(frozen=True, slots=True)
class Document:
    """What a file says, and where it says it."""

    name: str
    """The file as it stands in messages."""
    value: Any
    """Plain `dict`, `list`, `str`, `int`, `float`, `bool`, `None`; an empty file is `None`."""
    lines: Mapping[Place, int]
    """Line, from 1, of each value; for a value of a mapping that of its key."""

    def line(self, place: Place = ()) -> int:
        """The line of the value, or of the nearest one around it."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)

    def where(self, place: Place = ()) -> str:
        """`thresholds/fairness.yaml:7`."""
        return f"{self.name}:{self.line(place)}"


def load_file(path: Path, error: type[BadRequest], *, name: str | None = None) -> Document:
    """Read the file; `name` is what messages call it (the path as given, unless set)."""
    called = str(path) if name is None else name
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as failure:
        raise error(
            f"the file cannot be read: {failure.strerror}",
            where=called,
            next_step="Check its path and permissions",
        ) from failure
    return load(content, error, name=called)


def load(content: bytes, error: type[BadRequest], *, name: str) -> Document:
    """Read a document; `name` is what messages call it."""
    if len(content) > MAX_BYTES:
        raise error("the file is over 1 MiB", where=name, next_step="Split it")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as failure:
        raise error("the file is not UTF-8", where=name, next_step="Save it as UTF-8") from failure
    if "\t" in text:
        line = text.count("\n", 0, text.index("\t")) + 1
        raise error("there is a tab", where=f"{name}:{line}", next_step="Indent with spaces")
    return _Reader(text, error, name).document()


def boolean_advice(value: object) -> str | None:
    """The next step where a boolean is expected and `value` is one in YAML 1.1 only, such as `yes`."""
    meant = _YAML_1_1_BOOLEANS.get(value.lower()) if isinstance(value, str) else None
    return None if meant is None else f"Write {str(meant).lower()}: in YAML 1.2 the word {value} is text"


class _Reader:
    """Builds plain values from ruamel's events, so that nothing is constructed before it was looked at."""

    def __init__(self, text: str, error: type[BadRequest], name: str) -> None:
        self._text = text
        self._error = error
        self._name = name
        self._lines: dict[Place, int] = {}
        self._events = self._parsed()

    def document(self) -> Document:
        value: Any = None
        documents = 0
        for event in self._events:
            if type(event).__name__ == "DocumentStartEvent":
                documents += 1
                if documents > 1:
                    self._refuse(event, "a second document begins here", "Keep one document a file")
                if event.version or event.tags:
                    self._refuse(event, "there is a directive", "Remove the line that begins with %")
                value = self._value(next(self._events), ())
        return Document(self._name, value, self._lines)

    def _parsed(self) -> Iterator[Any]:
        # Imported here: it costs 40 ms, and most runs read no YAML.
        from ruamel.yaml import YAML
        from ruamel.yaml.error import MarkedYAMLError
        from ruamel.yaml.reader import ReaderError

        try:
            yield from YAML(typ="safe", pure=True).parse(self._text)
        except MarkedYAMLError as failure:
            mark = failure.problem_mark or failure.context_mark
            line = mark.line + 1 if mark else 1
            problem = failure.problem or failure.context or "it cannot be parsed"
            raise self._fault(f"not YAML: {_printable(problem)}", line, "Correct the syntax") from failure
        except ReaderError as failure:
            line = self._text.count("\n", 0, failure.position) + 1
            raise self._fault("there is a control character", line, "Remove it") from failure

    def _value(self, event: Any, place: Place) -> Any:
        self._lines[place] = self._lines.get(place, event.start_mark.line + 1)
        self._check(event)
        if len(place) > MAX_DEPTH:
            self._refuse(event, f"it is nested deeper than {MAX_DEPTH}", "Flatten it")
        kind = type(event).__name__
        if kind == "ScalarEvent":
            return self._scalar(event)
        return self._mapping(place) if kind == "MappingStartEvent" else self._sequence(place)

    def _check(self, event: Any) -> None:
        if type(event).__name__ == "AliasEvent" or event.anchor is not None:
            self._refuse(event, "there is an anchor or alias", "Write the value out where it is needed")
        if event.ctag is not None:
            self._refuse(event, "there is a tag", "Remove the word that begins with !")

    def _mapping(self, place: Place) -> dict[str, Any]:
        values: dict[str, Any] = {}
        while type(event := next(self._events)).__name__ != "MappingEndEvent":
            key = self._key(event)
            if key in values:
                first = self._lines[(*place, key)]
                self._refuse(event, f"{key!r} is already set in line {first}", "Keep one of them")
            self._lines[(*place, key)] = event.start_mark.line + 1
            values[key] = self._value(next(self._events), (*place, key))
        return values

    def _key(self, event: Any) -> str:
        self._check(event)
        key = self._scalar(event) if type(event).__name__ == "ScalarEvent" else None
        if not isinstance(key, str):
            self._refuse(event, "a key is not text", "Put it in quotes")
        if key == "<<" and event.style is None:
            self._refuse(event, "there is a merge key", "Write the values out")
        return key

    def _sequence(self, place: Place) -> list[Any]:
        values: list[Any] = []
        while type(event := next(self._events)).__name__ != "SequenceEndEvent":
            values.append(self._value(event, (*place, len(values))))
        return values

    def _scalar(self, event: Any) -> Any:
        text: str = event.value
        if event.style is not None:
            return text
        if text in _CONSTANTS:
            return _CONSTANTS[text]
        if _PADDED.fullmatch(text):
            self._refuse(event, "a number begins with 0", "Put it in quotes if it is a name")
        if _INTEGER.fullmatch(text):
            number = int(text, 0) if len(text) <= _MAX_DIGITS else _MAX_EXACT_INTEGER + 1
            if abs(number) > _MAX_EXACT_INTEGER:
                self._refuse(event, "an integer is too large to be exact", "Put it in quotes if it is a name")
            return number
        if _FLOAT.fullmatch(text):
            real = float(text)
            if real - real != 0:
                self._refuse(event, "a number is too large", "Use a finite number")
            return real
        if _NOT_FINITE.fullmatch(text):
            self._refuse(event, "a number is not finite", "Use a finite number")
        return text

    def _refuse(self, event: Any, what: str, next_step: str) -> NoReturn:
        raise self._fault(what, event.start_mark.line + 1, next_step)

    def _fault(self, what: str, line: int, next_step: str) -> BadRequest:
        return self._error(what, where=f"{self._name}:{line}", next_step=next_step)


def _printable(text: object) -> str:
    return ascii(str(text))[1:-1]
