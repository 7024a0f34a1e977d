from __future__ import annotations

from mandate.engine.cli.policy.side_by_side import side_by_side
from mandate.engine.policy.probing import Compared, Value


def test_no_line_is_longer_than_a_terminal_whatever_the_values_are() -> None:
    long = {"name " * 30: {"value": "x" * 5000, "other": 1}}
    other = {"name " * 30: {"value": "y" * 90, "other": 1}}
    lines = list(side_by_side(Compared("a == " + "b" * 200, "==", Value(long), Value(other))))
    assert max(map(len, lines)) <= 96
    assert lines[0].endswith("…")


def test_of_many_differences_the_first_are_shown() -> None:
    expected, got = (Value({f"n{n:02}": n + more for n in range(60)} | {"same": 0}) for more in (0, 1))
    lines = list(side_by_side(Compared("a == b", "==", expected, got)))
    assert lines[:3] == ["a == b", "        expected   got", "  n00   0          1"]
    assert (len(lines), lines[-1]) == (43, "… and 20 more")


def test_a_side_that_is_undefined_is_called_so() -> None:
    nothing = Value(None, is_defined=False)
    assert list(side_by_side(Compared("a == 1", "==", Value(1), nothing))) == [
        "a == 1",
        "     expected   got",
        "     1          undefined",
    ]


def test_names_from_outside_are_escaped() -> None:
    lines = list(
        side_by_side(Compared("a == b", "==", Value({"\x1b[2J": 1, "b": 1}), Value({"b": 1, "c": 2})))
    )
    assert lines == [
        "a == b",
        "            expected   got",
        "  \\x1b[2J   1          nothing",
        "  c         nothing    2",
    ]


def test_a_term_that_one_side_lacks_was_not_judged() -> None:
    expected, got = Value({"a": "holds", "b": "no verdict"}), Value({"b": "no verdict", "c": "fails"})
    assert list(side_by_side(Compared("a == b", "==", expected, got))) == [
        "a == b",
        "      expected     got",
        "✗ a   holds        not judged",
        "  b   no verdict   no verdict",
        "✗ c   not judged   fails",
    ]
