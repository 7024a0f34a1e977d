from __future__ import annotations

import json
import math
import struct
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mandate.engine.decision import Decision
from mandate.engine.digests import canonical, document_sha256, file_sha256, joined, sha256

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
DOUBLES = st.floats(allow_nan=False, allow_infinity=False)
NUMBERS = st.one_of(
    DOUBLES,
    st.integers(-(2**53) + 1, 2**53 - 1),
    st.integers(-(2**53) + 1, 2**53 - 1).map(float),
    st.builds(lambda digits, power: digits * 10.0**power, st.integers(-999, 999), st.integers(-30, 30)),
)
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
)
DEAREST = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6", "</script>", '"', "\\", "\x7f"]


@settings(max_examples=400, deadline=None)
@given(DOCUMENTS)
@example({"\ufb33": 1, "\U0001f600": 2})
@example(dict.fromkeys(DEAREST, 1.0))
@example(["1.0", "-0.0", '"1e5"', "\\", '\\"1.0', {"1.0": 1e5, 'a"1.0': 1e-7}])
@example([0.0, -0.0, 1e15, 1e16, 1e20, 1e21, 1e22, 1e-4, 1e-5, 1e-6, 1e-7, 5e-324, 1.7976931348623157e308])
@example([123456789012345680.0, 2**53 - 1, -(2**53) + 1, 0.1, 1 / 3, 333333333.3333333])
def test_canonical_json_is_that_of_the_reference(document: Any) -> None:
    assert canonical(document) == rfc8785.dumps(document)


def test_numbers_are_written_as_the_standard_says() -> None:
    """RFC 8785, appendix B: IEEE 754 bits and what is written for them."""
    written = {
        "0000000000000000": "0",
        "8000000000000000": "0",
        "0000000000000001": "5e-324",
        "8000000000000001": "-5e-324",
        "7fefffffffffffff": "1.7976931348623157e+308",
        "4340000000000000": "9007199254740992",
        "c340000000000000": "-9007199254740992",
        "4430000000000000": "295147905179352830000",
        "44b52d02c7e14af5": "9.999999999999997e+22",
        "44b52d02c7e14af6": "1e+23",
        "44b52d02c7e14af7": "1.0000000000000001e+23",
        "444b1ae4d6e2ef4e": "999999999999999700000",
        "444b1ae4d6e2ef4f": "999999999999999900000",
        "444b1ae4d6e2ef50": "1e+21",
        "3eb0c6f7a0b5ed8c": "9.999999999999997e-7",
        "3eb0c6f7a0b5ed8d": "0.000001",
        "41b3de4355555553": "333333333.3333332",
        "becbf647612f3696": "-0.0000033333333333333333",
        "43143ff3c1cb0959": "1424953923781206.2",
    }
    numbers = [struct.unpack(">d", bytes.fromhex(bits))[0] for bits in written]
    assert canonical(numbers).decode() == f"[{','.join(written.values())}]"


@pytest.mark.parametrize(
    "document", [math.nan, math.inf, -math.inf, 2**53, -(2**60), [1, {"a": 10**400}], {1, 2}, "\ud800", b"x"]
)
def test_what_canonical_json_cannot_say_is_refused(document: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        canonical(document)


def test_a_digest_is_that_of_the_canonical_bytes(tmp_path: Path) -> None:
    document = {"b": [1.0, "é"], "a": None}
    data = '{"a":null,"b":[1,"é"]}'.encode()
    (tmp_path / "file").write_bytes(data)
    assert canonical(document) == data
    assert document_sha256(document) == sha256(data) == file_sha256(tmp_path / "file")
    assert json.loads(data) == document


def test_a_changed_copy_has_canonical_json_of_its_own() -> None:
    decision = Decision.undecided("nobody answered")
    assert decision.canonical == rfc8785.dumps(decision.model_dump(mode="json"))
    changed = decision.model_copy(update={"reasons": ("OPA is down",)})
    assert changed.canonical == rfc8785.dumps(changed.model_dump(mode="json"))
    assert decision == Decision.undecided("nobody answered")


@given(st.dictionaries(st.text(st.characters(codec="ascii", categories=["L", "N"])), DOCUMENTS))
def test_what_is_joined_is_the_canonical_json_of_the_whole(document: dict[str, Any]) -> None:
    assert joined({name: canonical(value) for name, value in document.items()}) == canonical(document)
