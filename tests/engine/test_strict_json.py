from __future__ import annotations

import json
import math
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mandate.engine.digests import canonical
from mandate.engine.strict_json import NotStrict, parse, same


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "Expecting value at line 1, column 1"),
        (b'{\n"a": }', "Expecting value at line 2, column 6"),
        (b"{} {}", "Extra data at line 1, column 4"),
        (b"\xef\xbb\xbf{}", "it begins with a byte order mark (BOM)"),
        (b"\xff", "bytes that are not UTF-8"),
        ("{}".encode("utf-16"), "bytes that are not UTF-8"),
        (b'{"a": 1, "b": 2, "\\u0061": 3}', "the key 'a' stands twice in one object"),
        (b'[{"\\u001b": {"a": 1, "a": 1}}]', "the key 'a' stands twice in one object"),
        (b'{"\\u001b": 1, "\\u001b": 1}', "the key '\\x1b' stands twice in one object"),
        (b'"\\ud800"', "half of a surrogate pair"),
        (b'{"\\uDC00": 1}', "half of a surrogate pair"),
        (b"[" * 100_000, "it is nested too deeply"),
    ],
)
@pytest.mark.parametrize("finite", [True, False])
def test_what_two_readers_could_understand_differently_is_refused(
    data: bytes, why: str, finite: bool
) -> None:
    with pytest.raises(NotStrict) as refused:
        parse(data, finite=finite)
    assert str(refused.value) == why


def test_a_key_that_stands_twice_among_very_many_is_found_at_once() -> None:
    keys = b"".join(b'"%d": 0, ' % number for number in range(200_000))
    start = time.process_time()
    with pytest.raises(NotStrict, match="the key '199999' stands twice"):
        parse(b"{%b%b}" % (keys, b'"199999": 0'))
    assert time.process_time() - start < 2


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"NaN", "a number that is not finite"),
        (b"[-Infinity]", "a number that is not finite"),
        (b"1e999", "a number that is not a finite double"),
        (b"0." + b"1" * 1000, "a number that is not a finite double"),
        (b"9007199254740992", "an integer that a double does not hold"),
        (b"-" + b"1" * 100_000, "an integer that a double does not hold"),
    ],
)
def test_a_number_that_a_double_does_not_hold_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(NotStrict) as refused:
        parse(data)
    assert str(refused.value) == why


def test_whoever_asks_gets_numbers_as_python_reads_them() -> None:
    assert parse(b"[1e999, -Infinity, 9007199254740993]", finite=False) == [math.inf, -math.inf, 2**53 + 1]
    assert math.isnan(parse(b"NaN", finite=False))
    with pytest.raises(NotStrict, match="a number that is too long"):
        parse(b"1" * 5000, finite=False)


def test_a_key_that_stands_twice_is_shown_cut() -> None:
    with pytest.raises(NotStrict) as refused:
        parse(json.dumps({"x" * 9000: 1}).replace("}", f', "{"x" * 9000}": 2}}').encode())
    assert len(str(refused.value)) < 200


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**53) + 1, 2**53 - 1)
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
        max_leaves=20,
    ),
    st.booleans(),
)
def test_what_json_can_carry_is_read_as_it_was_written(value: Any, escaped: bool) -> None:
    assert parse(json.dumps(value, ensure_ascii=escaped).encode()) == value


@given(st.binary(max_size=40), st.booleans())
def test_any_bytes_are_a_value_or_not_strict(data: bytes, finite: bool) -> None:
    try:
        parse(data, finite=finite)
    except NotStrict as error:
        assert str(error)  # noqa: PT017  (whatever was wrong, it says so)


LEAVES: list[Any] = [None, False, True, 0, 1, 0.0, -0.0, 1.0, 1.5, "", "1", "true", [], {}, 2**53 - 1]
JSON = st.recursive(
    st.sampled_from(LEAVES),
    lambda below: st.lists(below, max_size=2) | st.dictionaries(st.sampled_from("ab"), below, max_size=2),
    max_leaves=4,
)


@given(JSON, JSON)
def test_two_values_are_the_same_if_their_canonical_json_is(one: Any, other: Any) -> None:
    assert same(one, other) is (canonical(one) == canonical(other))
    assert same(one, parse(canonical(one)))


def test_two_values_are_the_same_if_opa_says_so(opa: Path) -> None:
    values = [*LEAVES, *([leaf] for leaf in LEAVES), *({"a": leaf} for leaf in LEAVES), {"b": 1}, [1, 1]]
    query = "[row | some one in input; row := [same | some other in input; same := one == other]]"
    asked = subprocess.run(
        [opa, "eval", "--stdin-input", "--format=raw", query],
        input=json.dumps(values),
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(asked.stdout) == [[same(one, other) for other in values] for one in values]
