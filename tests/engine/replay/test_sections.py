"""Of an input is sent what is read of it, word for word."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mandate.engine.digests import canonical
from mandate.engine.replay.sections import cut
from tests.organisation import GOOD

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(-1e9, 1e9) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcdé"), inner, max_size=3),
    max_leaves=12,
)
DOCUMENTS = st.dictionaries(st.sampled_from("abcdefé\n"), VALUES)


def read(document: dict[str, Any]) -> dict[str, Any]:
    """As it is read: its members in the order of canonical JSON."""
    as_read: dict[str, Any] = json.loads(canonical(document))
    return as_read


@given(DOCUMENTS, st.frozensets(st.sampled_from("abcdefé\nx")))
def test_the_wanted_sections_are_sent_or_all_of_them(
    document: dict[str, Any], wanted: frozenset[str]
) -> None:
    document = read(document)
    whole = canonical(document)
    part = canonical({name: value for name, value in document.items() if name in wanted})
    assert cut(whole, document, wanted) in (part, whole)


@pytest.mark.parametrize(
    "wanted", [{"fairness"}, {"apiVersion", "fairness", "waivers"}, {"model", "no such"}, {*GOOD}, set()]
)
def test_a_document_of_the_gate_is_cut(wanted: set[str]) -> None:
    document = read(GOOD)
    part = {name: value for name, value in document.items() if name in wanted}
    assert cut(canonical(document), document, wanted) == canonical(part)


def test_digits_stay_as_they_are() -> None:
    document = {"a": 1, "b": [1e21, 1e-7, 0.000001, 333333333.33333329], "c": 1}
    assert cut(canonical(document), document, {"b"}) == (b'{"b":[1e+21,1e-7,0.000001,333333333.3333333]}')


@pytest.mark.parametrize(
    "document",
    [
        {"a": {"a": 0, "b": 1, "c": 3}, "b": 2, "c": 4},
        {"a": {"a": 0, "b": 1, "c": 2}, "b": True, "c": 3},
        {"a": [{"a": 0, "b": {"x": 1}}], "b": {"x": 2}, "c": 3},
        {"a": 1, 'b"': 2, "c": 3},
        {"a": 1, "b\n": 2, "c": 3},
    ],
)
def test_where_a_name_stands_twice_or_is_not_plain_all_is_sent(document: dict[str, Any]) -> None:
    whole = canonical(document)
    assert cut(whole, document, {[*document][1]}) == whole
