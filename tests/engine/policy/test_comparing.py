from __future__ import annotations

from typing import Any

import pytest

from mandate.engine.policy.comparing import NOTHING, Difference, differences


@pytest.mark.parametrize(
    ("expected", "got", "found"),
    [
        (1, 1.0, []),
        (1, True, [Difference((), 1, True)]),
        ({"a": 1}, {"b": 1}, [Difference((), {"a": 1}, {"b": 1})]),
        (
            {"a": 1, "b": 2},
            {"a": 1, "c": 3},
            [Difference(("b",), 2, NOTHING), Difference(("c",), NOTHING, 3)],
        ),
        ({"a": {"b": [1, 2]}}, {"a": {"b": [1, 3]}}, [Difference(("a", "b", 1), 2, 3)]),
        ([1, 2], [1], [Difference((), [1, 2], [1])]),
        ([], [], []),
        ([{"a": True}], [{"a": 1}], [Difference((0, "a"), True, 1)]),
    ],
)
def test_the_smallest_parts_that_differ_are_found(expected: Any, got: Any, found: list[Difference]) -> None:
    assert list(differences(expected, got)) == found


@pytest.mark.parametrize(
    ("expected", "got", "found"),
    [
        ([1, 2], [2, 1], []),
        ([1, 2], [2, 3], [Difference((0,), 1, NOTHING), Difference((2,), NOTHING, 3)]),
        (
            [{"term": "a", "n": 1}, {"term": "b", "n": 2}],
            [{"term": "b", "n": 3}, {"term": "a", "n": 1}],
            [Difference((1, "n"), 2, 3)],
        ),
        ([], [[1]], [Difference((0,), NOTHING, [1])]),
    ],
)
def test_items_of_sets_are_held_against_what_is_most_like_them(
    expected: list[Any], got: list[Any], found: list[Difference]
) -> None:
    assert list(differences(expected, got, sets=True)) == found
