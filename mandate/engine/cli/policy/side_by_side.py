"""What a failed test expected and what it got, side by side."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ...report.visible import visible

if TYPE_CHECKING:
    from ...policy.probing import Compared, Value

_WIDTH = 96
"""A terminal of 100 columns, less what the lines are indented."""
_GAPS = 8
"""Of a row: for the mark, and between its three cells."""
_HEADS = ("expected", "got")
_LONGEST = 4000
_ROWS = 40
_VERDICTS = ("holds", "fails", "no verdict")

Row = tuple[str, str, str]
"""The part, what was expected of it, and what it is."""


def side_by_side(compared: Compared) -> Iterator[str]:
    """Lines of at most 96 columns: the expression, and a table of the parts that differ.

    Of a rule's verdicts all are shown, and those that differ are marked.
    """
    yield visible(compared.expression, _WIDTH)
    if compared.operator == ":=":
        yield "  is undefined: something in it is not there, or cannot be done"
        return
    rows = _rows(compared)
    yield from _table(rows[:_ROWS])
    if len(rows) > _ROWS:
        yield f"… and {len(rows) - _ROWS:,} more"


def _rows(compared: Compared) -> list[Row]:
    from ...policy.comparing import differences

    expected, got = compared.expected, compared.got
    if not (expected.is_defined and got.is_defined):
        return [("", _side(expected), _side(got))]
    if compared.operator not in ("==", "in"):
        return [("", f"{compared.operator} {_side(expected)}", _side(got))]
    if _are_verdicts(expected.json) and _are_verdicts(got.json):
        terms = sorted(expected.json.keys() | got.json.keys())
        return [(term, *(side.json.get(term, "not judged") for side in (expected, got))) for term in terms]
    found = differences(expected.json, got.json, sets=expected.is_set and got.is_set)
    return [(".".join(map(str, each.path)), _shown(each.expected), _shown(each.got)) for each in found]


def _are_verdicts(value: Any) -> bool:
    return isinstance(value, dict) and all(part in _VERDICTS for part in value.values())


def _side(value: Value) -> str:
    return _shown(value.json) if value.is_defined else "undefined"


def _shown(value: Any) -> str:
    from ...policy.comparing import NOTHING

    return "nothing" if value is NOTHING else visible(json.dumps(value, ensure_ascii=False), _LONGEST)


def _table(rows: Sequence[Row]) -> Iterator[str]:
    shown = [(visible(part), expected, got) for part, expected, got in rows]
    widest = [max((len(row[cell]) for row in shown), default=0) for cell in range(3)]
    name = min(widest[0], _WIDTH // 3)
    room = _WIDTH - _GAPS - name
    column = max(len(_HEADS[0]), min(widest[1], max(room // 2, room - widest[2])))
    widths = (name, column, room - column)
    yield _line("", "", *_HEADS, widths=widths)
    some_agree = any(expected == got for _, expected, got in shown)
    for row in shown:
        mark = "✗" if some_agree and row[1] != row[2] else ""
        cells = [_wrapped(text, width) for text, width in zip(row, widths, strict=True)]
        for number in range(max(map(len, cells))):
            part, expected, got = (cell[number] if number < len(cell) else "" for cell in cells)
            yield _line(mark if number == 0 else "", part, expected, got, widths=widths)


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, max(width, 1), drop_whitespace=False) or [""]


def _line(mark: str, part: str, expected: str, got: str, *, widths: tuple[int, int, int]) -> str:
    return f"{mark:2}{part:{widths[0]}}   {expected:{widths[1]}}   {got}".rstrip()
