"""Addresses of services."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mandate.engine.errors import BadConfiguration
from mandate.engine.http import endpoint
from mandate.engine.http.endpoint import Endpoint


def parse(url: str, ca: Path | None = None) -> Endpoint:
    return endpoint.parse(url, ca, of="OPA")


@pytest.mark.parametrize(
    ("url", "parts", "authority"),
    [
        ("http://localhost:8181", ("localhost", 8181, None, ""), "localhost:8181"),
        ("http://opa", ("opa", 80, None, ""), "opa"),
        ("http://opa:8181/", ("opa", 8181, None, ""), "opa:8181"),
        ("http://gateway/opa/", ("gateway", 80, None, "/opa"), "gateway"),
        ("http://[::1]:8181", ("::1", 8181, None, ""), "[::1]:8181"),
        ("unix:///run/opa.sock", ("", 0, "/run/opa.sock", ""), "localhost"),
        ("unix:///run/a b#c?d%20", ("", 0, "/run/a b#c?d%20", ""), "localhost"),
    ],
)
def test_an_address_is_read(url: str, parts: tuple[str, int, str | None, str], authority: str) -> None:
    host, port, socket_path, prefix = parts
    read = parse(url)
    assert read == Endpoint(url, host, port, socket_path=socket_path, prefix=prefix, tls=None)
    assert read.authority == authority


def test_https_verifies_the_certificate_and_the_name() -> None:
    tls = parse("https://opa.example.org").tls
    assert tls is not None
    assert tls.check_hostname
    assert parse("https://opa.example.org").authority == "opa.example.org"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:8181",
        "ftp://localhost",
        "http://",
        "http://host:port",
        "http://host:99999",
        "http://[::1",
        "http://host/?q",
        "http://host/#f",
        "http://ho st",
        "http://höst",
        "http://host/päth",
        "http://host\r\nX: y",
        "unix://relative/path",
        "unix://",
        "unix:///with\0nul",
    ],
)
def test_what_is_no_address_is_refused_with_the_forms_that_are(url: str) -> None:
    with pytest.raises(BadConfiguration) as refused:
        parse(url)
    assert (
        refused.value.next_step == "Write http://host:port, https://host:port or unix:///path/of/the/socket"
    )
    assert str(refused.value).isprintable()


def test_a_secret_in_the_url_is_refused_and_not_shown() -> None:
    with pytest.raises(BadConfiguration) as refused:
        parse("https://user:s3cret@host")
    assert "s3cret" not in str(refused.value)


def test_a_socket_path_that_is_too_long_is_refused() -> None:
    with pytest.raises(BadConfiguration, match="longer than the 103 bytes"):
        parse("unix:///" + "x" * 103)
    assert parse("unix:///" + "x" * 102).socket_path == "/" + "x" * 102


def test_authorities_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    nothing = tmp_path / "nothing.pem"
    with pytest.raises(BadConfiguration, match="certificate authorities"):
        parse("https://host", nothing)
    nothing.write_text("not a certificate")
    with pytest.raises(BadConfiguration, match="certificate authorities"):
        parse("https://host", nothing)


@given(st.text().map(lambda rest: f"http://{rest}") | st.text())
def test_any_text_is_an_address_or_refused(url: str) -> None:
    try:
        parse(url)
    except BadConfiguration as refused:
        message = str(refused)
    else:
        message = ""
    assert message == "" or message.isprintable()
