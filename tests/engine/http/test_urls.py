"""URLs, taken apart."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mandate.engine.http.urls import split


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [("https://a.example/x?y", "a.example", None), ("http://[::1]:8", "::1", 8), ("nothing", None, None)],
)
def test_parts_and_port_are_given(url: str, host: str | None, port: int | None) -> None:
    parts, named = split(url)
    assert (parts.hostname, named) == (host, port)


@pytest.mark.parametrize("url", ["http://h ost", "http://h\nost", "http://höst"])
def test_other_characters_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match="has characters that do not belong in a URL"):
        split(url)


@pytest.mark.parametrize("url", ["http://host:port", "http://host:99999", "http://[::1"])
def test_what_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="is not a URL"):
        split(url)


@given(st.text().map(lambda rest: f"https://{rest}") | st.text())
def test_any_text_is_taken_apart_or_refused(url: str) -> None:
    with suppress(ValueError):
        parts, port = split(url)
        assert (parts.port, url.isascii()) == (port, True)
