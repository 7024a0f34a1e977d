"""A query as SQL: one statement over the columns that are asked for, which indexes answer.

A page is read off one index, from its newest entry on. Which one is not left to a planner without statistics,
as SQLite's is: the conditions that select the least are written so that it does not take their indexes.
Names of columns are those of this module; what somebody looks for is a parameter always.
"""

# ruff: noqa: S608  (see above)

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..columns import Kind
from ..query import Query

_BY_COLUMN = ("sha256", "model", "revision", "environment", "outcome", "kind")
"""Columns with an index, from the one that selects the most."""
_WITHOUT_INDEX = ("version", "action")
_BY_MENTION = {"person": Kind.PERSON, "rule": Kind.RULE, "control": Kind.CONTROL}
_FIRST_IS_BEST = 3
"""Of the columns, so many select more than a mention does."""


@dataclass(frozen=True, slots=True)
class Search:
    """A statement in the words of aiosql, and its parameters."""

    sql: str
    parameters: dict[str, Any]


def search(query: Query, *, before: int, most: int, first: int) -> Search:
    """What finds the newest `most` entries from `first` to just before `before`."""
    given = {name: getattr(query, name) for name in (*_BY_COLUMN, *_WITHOUT_INDEX, *_BY_MENTION)}
    given = {name: value for name, value in given.items() if value is not None}
    driving = _driving(given)
    conditions = ["{at}.position >= :first", "{at}.position < :before"]
    tables = "entries AS e"
    if driving in _BY_MENTION:
        tables = "mentions AS m CROSS JOIN entries AS e"
        conditions += ["m.position = e.position", f"m.kind = '{_BY_MENTION[driving].value}'"]
        conditions.append(f"m.name = :{driving}")
    for name in given:
        if name == driving:
            if name in _BY_COLUMN:
                conditions.append(f"e.{name} = :{name}")
        elif name in _BY_MENTION:
            conditions.append(
                "EXISTS (SELECT 1 FROM mentions AS o WHERE o.position = e.position"
                f" AND o.kind = '{_BY_MENTION[name].value}' AND o.name = :{name})"
            )
        else:
            conditions.append(f"coalesce(e.{name}, '') = :{name}")
    times = {
        "since": "coalesce(e.recorded_at, '') >= :since",
        "until": "coalesce(e.recorded_at, '') < :until",
    }
    for name, condition in times.items():
        if (value := getattr(query, name)) is not None:
            given[name] = value
            conditions.append(condition)
    at = "m" if driving in _BY_MENTION else "e"
    where = " AND ".join(conditions).format(at=at)
    return Search(
        f"SELECT e.position FROM {tables} WHERE {where} ORDER BY {at}.position DESC LIMIT :most",
        given | {"first": first, "before": before, "most": most},
    )


def _driving(given: dict[str, Any]) -> str | None:
    """The condition whose index is walked: the one that selects the most, as far as can be told."""
    order = (*_BY_COLUMN[:_FIRST_IS_BEST], *_BY_MENTION, *_BY_COLUMN[_FIRST_IS_BEST:])
    return next((name for name in order if name in given), None)
