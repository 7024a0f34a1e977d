from __future__ import annotations

from typing import Any

import pytest

from mandate.engine.policy.declarations import Fault, declaration

CASES: list[tuple[dict[str, Any], Any, Fault | None]] = [
    ({"type": "number"}, 1, None),
    ({"type": "number"}, 0.5, None),
    ({"type": "number"}, True, Fault("true is not a number", "Write a number")),
    ({"type": "number"}, None, Fault("nothing is not a number", "Write a number")),
    ({"type": "integer"}, 1, None),
    ({"type": "integer"}, 1.5, Fault("1.5 is not an integer", "Write an integer")),
    ({"type": "integer"}, False, Fault("false is not an integer", "Write an integer")),
    ({"type": "string"}, "a", None),
    ({"type": "string"}, 1, Fault("1 is not text", "Write text")),
    ({"type": "string", "minLength": 1}, "", Fault('"" is too short', "Write at least 1 characters")),
    ({"type": "boolean"}, True, None),
    (
        {"type": "boolean"},
        "NO",
        Fault('"NO" is not true or false', "Write false: in YAML 1.2 the word NO is text"),
    ),
    ({"type": "boolean"}, 1, Fault("1 is not true or false", "Write true or false")),
    ({"type": "number", "minimum": 0}, 0, None),
    (
        {"type": "number", "minimum": 0},
        -0.1,
        Fault("-0.1 is out of range", "Write a number that is at least 0"),
    ),
    ({"type": "number", "maximum": 1}, 1, None),
    ({"type": "number", "maximum": 1}, 1.1, Fault("1.1 is out of range", "Write a number that is at most 1")),
    ({"type": "number", "exclusiveMinimum": 0}, 0.1, None),
    (
        {"type": "number", "exclusiveMinimum": 0},
        0,
        Fault("0 is out of range", "Write a number that is more than 0"),
    ),
    ({"type": "number", "exclusiveMaximum": 1}, 0.9, None),
    (
        {"type": "number", "exclusiveMaximum": 1},
        1,
        Fault("1 is out of range", "Write a number that is less than 1"),
    ),
    ({"type": "string", "enum": ["measured", "reported"]}, "measured", None),
    (
        {"type": "string", "enum": ["measured", "reported"]},
        "mesured",
        Fault('"mesured" is not one of the known values', "Write measured"),
    ),
    ({"type": "array"}, [], None),
    ({"type": "array", "minItems": 1}, [], Fault("the list is too short", "Name at least 1")),
    ({"type": "array", "uniqueItems": True}, [1, True], None),
    (
        {"type": "array", "uniqueItems": True},
        [1, 1],
        Fault("the list names something twice", "Remove one of them"),
    ),
    ({"type": "array", "items": {"type": "string"}}, ["a"], None),
    ({"type": "array", "items": {"type": "string"}}, ["a", 1], Fault("1 is not text", "Write text")),
    ({"type": "array"}, "a", Fault('"a" is not a list', "Write a list")),
]


@pytest.mark.parametrize(("schema", "value", "fault"), CASES)
def test_values_are_held_against_the_schema(schema: dict[str, Any], value: Any, fault: Fault | None) -> None:
    assert declaration("f.a", schema, "r.rego:1").fault(value) == fault


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "number", "minimum": 0, "maximum": 1}, "a number, at least 0, at most 1"),
        (
            {"type": "integer", "exclusiveMinimum": 0, "tightens": "up"},
            "an integer, more than 0; a higher one is harder to satisfy",
        ),
        ({"type": "boolean", "tightens": "down"}, "true or false; false is harder to satisfy"),
        ({"type": "string", "enum": ["a", "b"]}, 'text, one of "a", "b"'),
        (
            {
                "type": "array",
                "items": {"type": "string", "minLength": 2},
                "minItems": 1,
                "uniqueItems": True,
                "tightens": "up",
            },
            "a list, of 1 or more, each item text, at least 2 characters long, none twice; "
            "a longer one is harder to satisfy",
        ),
    ],
)
def test_what_a_value_may_be_is_said_in_words(schema: dict[str, Any], words: str) -> None:
    assert declaration("f.a", schema, "r.rego:1").described == words


def test_a_group_covers_the_settings_right_below_it() -> None:
    group = declaration("performance.minimum.*", {"type": "number"}, "r.rego:1")
    assert [
        group.covers(("performance", "minimum", "a.b")),
        group.covers(("performance", "minimum")),
        group.covers(("performance", "minimum", "a", "b")),
        group.covers(("performance", "maximum", "a")),
    ] == [True, False, False, False]
    single = declaration("performance.minimum", {"type": "number"}, "r.rego:1")
    assert (single.covers(("performance", "minimum")), single.covers(("performance", "maximum"))) == (
        True,
        False,
    )
