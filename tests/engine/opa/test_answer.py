"""The strict reading of an answer's body."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mandate.engine.errors import NotAnAnswer
from mandate.engine.opa.answer import Answer, parse

from .answers import GOOD, REVISION


def test_a_good_answer_is_read() -> None:
    assert parse(json.dumps(GOOD).encode(), "here") == Answer(
        result=GOOD["result"],
        opa_version="1.22.2",
        revisions={"mandate": REVISION},
    )


def test_an_answer_need_not_say_who_gave_it_to_be_read() -> None:
    assert parse(b'{"result":{}}', "here") == Answer(result={}, opa_version=None, revisions={})


def test_a_bundle_without_a_name_is_listed() -> None:
    body = b'{"result":{},"provenance":{"version":"1.22.2","revision":"7"}}'
    assert parse(body, "here").revisions == {"": "7"}


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b"", "Expecting value"),
        (b"{", "Expecting property name"),
        (b"{} {}", "Extra data"),
        (b"\xef\xbb\xbf{}", "BOM"),
        (b"\xff", "not UTF-8"),
        ('{"result":{}}'.encode("utf-16"), "not UTF-8"),
        (b"null", "not an object"),
        (b"[]", "not an object"),
        (b"true", "not an object"),
        (b"{}", "its answer has no result"),
        (b'{"result":null}', "its result is not an object"),
        (b'{"result":true}', "its result is not an object"),
        (b'{"result":{},"result":{}}', "stands twice"),
        (b'{"result":{"a":{"b":1,"b":1}}}', "stands twice"),
        (b'{"result":{"a":1,"\\u0061":1}}', "stands twice"),
        (b'{"result":{"a":NaN}}', "a number that is not finite"),
        (b'{"result":{"a":-Infinity}}', "a number that is not finite"),
        (b'{"result":{"a":1e999}}', "not a finite double"),
        (b'{"result":{"a":0.' + b"1" * 1000 + b"}}", "not a finite double"),
        (b'{"result":{"a":9007199254740992}}', "a double does not hold"),
        (b'{"result":{"a":-9007199254740992}}', "a double does not hold"),
        (b'{"result":{"a":' + b"1" * 100_000 + b"}}", "a double does not hold"),
        (b'{"result":{"a":"\\ud800"}}', "half of a surrogate pair"),
        (b'{"result":{"\\uDC00":1}}', "half of a surrogate pair"),
        (b'{"result":' * 100_000, "nested too deeply"),
        (b'{"result":{},"provenance":1}', "its provenance is not an object"),
        (b'{"result":{},"provenance":{"version":1}}', "its provenance gives no version"),
        (b'{"result":{},"provenance":{"bundles":1}}', "its provenance lists no bundles"),
        (b'{"result":{},"provenance":{"bundles":{"a":1}}}', 'no revision for the bundle "a"'),
        (
            b'{"result":{},"provenance":{"bundles":{"":{"revision":"1"}},"revision":"1"}}',
            "contradicts itself",
        ),
    ],
)
def test_what_two_readers_could_understand_differently_is_refused(body: bytes, what: str) -> None:
    with pytest.raises(NotAnAnswer, match=what) as refused:
        parse(body, "here")
    assert refused.value.where == "here"
    assert len(str(refused.value)) < 2000


@pytest.mark.parametrize("number", ["9007199254740991", "-9007199254740991", "0", "-0", "1e308"])
def test_numbers_that_a_double_holds_are_read(number: str) -> None:
    assert parse(f'{{"result":{{"a":{number}}}}}'.encode(), "here").result["a"] == json.loads(number)


def test_a_pair_of_surrogates_is_one_character() -> None:
    assert parse(b'{"result":{"a":"\\ud83d\\ude00"}}', "here").result == {"a": "😀"}


@given(st.binary())
def test_arbitrary_bytes_are_not_an_answer(body: bytes) -> None:
    with pytest.raises(NotAnAnswer):
        parse(body, "here")
