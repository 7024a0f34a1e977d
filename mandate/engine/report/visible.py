"""Names that come from outside, made safe to show."""

from __future__ import annotations


def visible(text: str, limit: int = 200) -> str:
    """`text` with everything that a terminal or log could act on escaped, cut to `limit` characters.

    Control characters, line and paragraph separators, and bidirectional overrides come out as `\\x1b` and the
    like: none of them can move the cursor, end a log line or reorder what a person reads.
    """
    shown = "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in text[: limit + 1]
    )
    return shown if len(shown) <= limit else f"{shown[: limit - 1]}…"
