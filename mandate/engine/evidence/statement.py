"""The in-toto Statement v1 about what is recorded, and back.

The payload's bytes are canonical JSON (RFC 8785). A payload that is not is refused, so there are no two
ways to write one statement: no key twice, no other number format, no white space.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from pydantic import ValidationError

from ..digests import canonical, joined
from ..errors import BadInput
from . import predicates
from .predicates.base import P, Predicate, Statement, members

_FIRST_INEXACT = 2.0**53


def state(predicate: P) -> Statement[P]:
    """The statement that carries `predicate`."""
    model = _model(type(predicate))
    return model(subject=predicate.subjects(), predicateType=predicate.TYPE, predicate=predicate)


def payload(statement: Statement[P]) -> bytes:
    """The statement as the bytes that are signed. `ValueError` for what JSON cannot carry exactly.

    What was written is read back and compared. JSON turns NaN into null, a set into a list and a number that
    is a key into text without a word, and then something else would be signed than what was answered.
    """
    data = joined(members(statement, "predicate") | {"predicate": joined(statement.predicate.members())})
    if _model(type(statement.predicate)).model_validate_json(data) != statement:
        raise ValueError("the statement does not read back as it was")
    return data


def read(data: bytes) -> Statement[Predicate]:
    """The statement in a payload. `BadInput` if it is not canonical JSON, has another shape, or is of a type
    that this version does not know."""
    document = parse(data)
    kind = predicates.known(document.get("predicateType"))
    if kind is None:
        raise BadInput(
            f"its predicate type is unknown, {ascii(document.get('predicateType'))[:100]}",
            next_step="Upgrade Mandate if a newer one recorded it",
        )
    try:
        return _model(kind).model_validate_json(data)
    except ValidationError as error:
        raise BadInput(f"the statement has another shape: {_first(error)}") from error


def parse(data: bytes) -> dict[str, Any]:
    """The payload as JSON, whatever it says. `BadInput` if it is not an object in canonical JSON."""
    try:
        document = json.loads(data, parse_int=_number)
        same = isinstance(document, dict) and canonical(document) == data
    except (ValueError, RecursionError) as error:
        raise BadInput("the statement is not JSON that can be canonical") from error
    if not same:
        raise BadInput("the statement is not an object in canonical JSON")
    return dict(document)


def contradictions(statement: Statement[Predicate], document: dict[str, Any]) -> Iterator[str]:
    """Where the statement disagrees with itself; `document` is its JSON as signed."""
    yield from statement.predicate.contradictions(document["predicate"])
    if statement.subject != statement.predicate.subjects():
        yield "the statement's subject is not the predicate's"


@cache
def _model(kind: type[P]) -> type[Statement[P]]:
    return Statement[kind]  # type: ignore[valid-type]  # made for each kind


def _number(digits: str) -> int | float:
    """A whole number as canonical JSON has it: beyond 2**53 - 1 it can only have been a double."""
    number = float(digits)
    return int(digits) if abs(number) < _FIRST_INEXACT else number


def _first(error: ValidationError) -> str:
    """The first complaint, without the value that it complains of."""
    details = error.errors(include_url=False, include_input=False, include_context=False)[0]
    return f"{ascii('.'.join(map(str, details['loc'])))[:200]}: {details['msg']}"
