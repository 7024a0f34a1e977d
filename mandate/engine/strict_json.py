"""JSON that every reader understands the same way (I-JSON, RFC 7493).

Refused: bytes that are not UTF-8 or begin with a byte order mark, a key that stands twice in one object,
numbers that a double does not hold, half of a surrogate pair, nesting that the parser cannot follow.
"""

from __future__ import annotations

import codecs
import json
import math
from collections import Counter
from typing import Any, NoReturn

BOM = codecs.BOM_UTF8
"""What some editors write before a text, and JSON has not."""
_LARGEST_INTEGER = 2**53 - 1
_LONGEST_NUMBER = 1000
"""Characters. What anybody computes with has a few dozen digits."""
_SHOWN = 80


class NotStrict(ValueError):
    """The bytes are not JSON, or are JSON that two readers could understand differently: one clause says why.

    It quotes a key at most, never a value: that may be somebody's data.
    """


def parse(data: bytes, *, finite: bool = True) -> Any:
    """The value as plain `dict`, `list`, `str`, `int`, `float`, `bool` and `None`. `NotStrict` if it is none.

    Unless `finite`, numbers are as Python reads them: NaN, the infinities, and integers of any size. Whoever
    asks for that must name or refuse them himself.
    """
    if data.startswith(BOM):
        raise NotStrict("it begins with a byte order mark (BOM)")
    try:
        text = data.decode("utf-8")
        document = (_FINITE if finite else _ANY_NUMBER).decode(text)
        if "\\ud" in text or "\\uD" in text:
            # JSON can spell half a surrogate pair; UTF-8 cannot, so such a text could not be recorded.
            json.dumps(document, ensure_ascii=False).encode("utf-8")
    except NotStrict:
        raise
    except json.JSONDecodeError as error:
        raise NotStrict(f"{error.msg} at line {error.lineno}, column {error.colno}") from error
    except UnicodeDecodeError as error:
        raise NotStrict("bytes that are not UTF-8") from error
    except UnicodeEncodeError as error:
        raise NotStrict("half of a surrogate pair") from error
    except RecursionError as error:
        raise NotStrict("it is nested too deeply") from error
    except ValueError as error:
        raise NotStrict("a number that is too long") from error
    return document


def same(one: Any, other: Any) -> bool:
    """Whether two values are one value of JSON, at every depth: 1 is 1.0, and neither is `true`.

    It is what OPA means by `==`, and what JSON Schema means by `enum`.
    """
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def deeper_than(value: Any, levels: int) -> bool:
    """Whether lists and objects in the value are nested more than so many levels deep."""
    layer = [value]
    for _ in range(levels + 1):
        layer = [each for each in layer if isinstance(each, (dict, list))]
        if not layer:
            return False
        layer = [child for each in layer for child in (each.values() if isinstance(each, dict) else each)]
    return True


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        # In one pass: the pairs may be a million.
        counted = Counter(name for name, _ in pairs)
        twice = next(name for name, times in counted.items() if times > 1)
        raise NotStrict(f"the key {twice[:_SHOWN]!a} stands twice in one object")
    return members


def _no_constant(_name: str) -> NoReturn:
    raise NotStrict("a number that is not finite")


def _double(digits: str) -> float:
    if len(digits) > _LONGEST_NUMBER or not math.isfinite(number := float(digits)):
        raise NotStrict("a number that is not a finite double")
    return number


def _exact(digits: str) -> int:
    # 16 digits hold every integer that a double holds exactly; int() of a million digits takes minutes.
    if len(digits) > len("-9007199254740991") or abs(number := int(digits)) > _LARGEST_INTEGER:
        raise NotStrict("an integer that a double does not hold")
    return number


_ANY_NUMBER = json.JSONDecoder(object_pairs_hook=_each_key_once)
_FINITE = json.JSONDecoder(
    object_pairs_hook=_each_key_once, parse_constant=_no_constant, parse_float=_double, parse_int=_exact
)
