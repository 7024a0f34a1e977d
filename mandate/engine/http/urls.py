"""URLs, taken apart without trust."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

PORTS = {"http": 80, "https": 443}
"""By scheme: where one listens whose URL names no port."""


def split(url: str) -> tuple[SplitResult, int | None]:
    """Its parts, and its port if it names one. `ValueError`, with the reason, if it is no URL."""
    if not (url.isascii() and url.isprintable()) or " " in url:
        raise ValueError("has characters that do not belong in a URL")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ValueError("is not a URL") from error
    return parts, port
