"""What others say, in messages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mandate.engine.said import quoted


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("plain", '"plain"'),
        (b"bytes", '"bytes"'),
        (b"\xff\x00", '"\\ufffd\\x00"'),
        ("line\nline", '"line\\nline"'),
        ("\x1b[2Jgone", '"\\x1b[2Jgone"'),
        ("ümlaut", '"\\xfcmlaut"'),
        ("12345678901", '"1234567890…"'),
    ],
)
def test_control_characters_are_shown_and_not_obeyed(said: str | bytes, shown: str) -> None:
    assert quoted(said, 10) == shown


@given(st.text() | st.binary(), st.integers(1, 50))
def test_whatever_is_said_is_printable_and_bounded(said: str | bytes, limit: int) -> None:
    shown = quoted(said, limit)
    assert shown.isprintable()
    assert len(shown) <= limit * len("\\U00000000") + len('""…')
