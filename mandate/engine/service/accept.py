"""Which of the forms that there are a caller would like best (RFC 9110, 12.5.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TypeVar

from .problems import Problem

_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_RANGE = re.compile(rf"({_WORD})/({_WORD})")
_WEIGHT = re.compile(r"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?")
_MOST = 50
_LONGEST = 2000

Form = TypeVar("Form")


def best(header: str | None, forms: Mapping[str, Form]) -> tuple[str, Form]:
    """The media type and the form that `header` gives the highest weight; of two with the same, the first.

    `Problem` 406 that lists what there is if it takes none of them, and 400 if it cannot be understood.
    """
    ranges = [("*/*", 1.0)] if header is None or not header.strip() else _ranges(header)
    weights = {kind: _weight(kind, ranges) for kind in forms}
    kind = max(weights, key=weights.__getitem__)
    if weights[kind] == 0:
        raise Problem(
            406,
            "There is no such form",
            f"the forms are {', '.join(forms)}",
            next_step="Name one of them in Accept",
        )
    return kind, forms[kind]


def _weight(kind: str, ranges: Sequence[tuple[str, float]]) -> float:
    """What the most specific range says of the media type; 0 if none does."""
    weights = dict(ranges)
    fits = (kind, f"{kind.partition('/')[0]}/*", "*/*")
    return next((weights[each] for each in fits if each in weights), 0.0)


def _ranges(header: str) -> list[tuple[str, float]]:
    parts = header.split(",")
    if len(parts) > _MOST or len(header) > _LONGEST:
        raise _not_understood("it is too long")
    return [_range(part.strip()) for part in parts if part.strip()]


def _range(part: str) -> tuple[str, float]:
    """A media range and its weight. Other parameters are passed over: the forms have none."""
    named, *parameters = (each.strip() for each in part.split(";"))
    if not (match := _RANGE.fullmatch(named)) or (match[1] == "*" and match[2] != "*"):
        raise _not_understood(f"{named[:80]!a} is no media range")
    weight = 1.0
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "q":
            if not _WEIGHT.fullmatch(value.strip()):
                raise _not_understood(f"{value[:80]!a} is no weight from 0 to 1")
            weight = float(value)
    return named.lower(), weight


def _not_understood(what: str) -> Problem:
    return Problem(400, "Accept cannot be understood", f"Accept: {what}", next_step="See RFC 9110, 12.5.1")
