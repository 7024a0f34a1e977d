"""What somebody else's program said, made fit for a message."""

from __future__ import annotations

_LIMIT = 300


def quoted(said: str | bytes, limit: int = _LIMIT) -> str:
    """At most `limit` characters (or bytes), in quotes, as printable ASCII.

    Control characters, ANSI escapes and line breaks come out as backslash escapes: what a peer sends
    can neither drive a terminal nor forge a line in a log.
    """
    text = said[: limit + 1].decode("utf-8", "replace") if isinstance(said, bytes) else said[: limit + 1]
    cut = len(said) > limit
    escaped = text[:limit].strip().encode("unicode_escape").decode("ascii")
    return f'"{escaped}…"' if cut else f'"{escaped}"'
