"""Where two values differ: the parts that do, by their path."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..strict_json import same


class Nothing:
    """What a side has where it has no such part."""


NOTHING = Nothing()


@dataclass(frozen=True, slots=True)
class Difference:
    """One part that differs."""

    path: tuple[str | int, ...]
    """Keys and indices (from 0). An item of a set has the index that it has in what was expected."""
    expected: Any
    got: Any


def differences(expected: Any, got: Any, *, sets: bool = False) -> Iterator[Difference]:
    """The smallest parts of two JSON values that differ; `sets` if both are lists without an order."""
    if isinstance(expected, dict) and isinstance(got, dict) and expected.keys() & got.keys():
        for key in sorted(expected.keys() | got.keys()):
            yield from _below(key, expected.get(key, NOTHING), got.get(key, NOTHING))
    elif isinstance(expected, list) and isinstance(got, list) and sets:
        yield from _of_sets(expected, got)
    elif isinstance(expected, list) and isinstance(got, list) and len(expected) == len(got) and expected:
        for index, (one, other) in enumerate(zip(expected, got, strict=True)):
            yield from _below(index, one, other)
    elif not same(expected, got):
        yield Difference((), expected, got)


def likeness(one: Any, other: Any) -> int:
    """How many fields two objects share, 0 for anything else."""
    if not (isinstance(one, dict) and isinstance(other, dict)):
        return 0
    return sum(same(value, other[key]) for key, value in one.items() if key in other)


def _below(part: str | int, expected: Any, got: Any) -> Iterator[Difference]:
    for each in differences(expected, got):
        yield Difference((part, *each.path), each.expected, each.got)


def _of_sets(expected: list[Any], got: list[Any]) -> Iterator[Difference]:
    """Items that one side lacks; an item of one is held against the one of the other that is most like it."""
    unexpected = [item for item in got if not any(same(item, each) for each in expected)]
    for index, item in enumerate(expected):
        if any(same(item, each) for each in got):
            continue
        alike = max(unexpected, key=lambda other: likeness(item, other), default=NOTHING)
        if likeness(item, alike):
            unexpected.remove(alike)
            yield from _below(index, item, alike)
        else:
            yield Difference((index,), item, NOTHING)
    for number, item in enumerate(unexpected, len(expected)):
        yield Difference((number,), NOTHING, item)
