from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mandate.engine.report.visible import visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("credit", "credit"),
        ("Kreditgewährung × 2", "Kreditgewährung × 2"),
        ("a\x1b[31mred", "a\\x1b[31mred"),
        ("two\nlines", "two\\nlines"),
        ("right\u202eleft", "right\\u202eleft"),
        ("nul\x00", "nul\\x00"),
        ("c1\x9b31m", "c1\\x9b31m"),
        ("line\u2028separator", "line\\u2028separator"),
    ],
)
def test_what_a_terminal_would_act_on_is_escaped(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(st.text(max_size=600))
def test_nothing_that_is_shown_can_act_on_a_terminal(text: str) -> None:
    shown = visible(text)
    assert shown.isprintable()
    assert len(shown) <= 200
