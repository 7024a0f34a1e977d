"""An issuer's keys: read where the settings say, kept while that is sound, and never waited for at length."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import anyio
import pytest

from mandate.engine.errors import BadConfiguration, IssuerUnavailable
from mandate.engine.service.access import key_sources
from mandate.engine.service.access.issuer_keys import IssuerKeys, NobodyKnows, NotKnown
from mandate.engine.service.access.issuer_settings import IssuerSettings
from tests.authority import Authority
from tests.issuer import Answer, Issuer, issuing, key, respond

FIRST, SECOND = key("first"), key("second")


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with issuing() as running:
        yield running


def settings(issuer: Issuer, **others: Any) -> IssuerSettings:
    """With these settings, also where they are shorter than anybody may set them."""
    return IssuerSettings.model_validate(issuer.settings()).model_copy(update=others)


def reader(issuer: Issuer, **others: Any) -> Callable[[], Any]:
    return key_sources.reader(settings(issuer, **others), Path)


def while_kept(
    issuer: Issuer, then: Callable[[IssuerKeys], Awaitable[None]], *, read: Any = None, **others: Any
) -> None:
    """Run this beside what keeps the keys."""
    chosen = settings(issuer, **others)

    async def run() -> None:
        keys = IssuerKeys(chosen, read or key_sources.reader(chosen, Path))
        async with anyio.create_task_group() as group:
            group.start_soon(keys.keep)
            await then(keys)
            group.cancel_scope.cancel()

    anyio.run(run)


async def eventually(holds: Callable[[], Awaitable[bool]]) -> None:
    with anyio.fail_after(20):
        while not await holds():
            await anyio.sleep(0.02)


async def refused(keys: IssuerKeys, kid: str) -> str:
    """Why there is no such key; empty if there is one."""
    try:
        await keys.find(kid, "ES256")
    except (NotKnown, NobodyKnows) as error:
        return type(error).__name__
    return ""


async def answers(keys: IssuerKeys, kid: str, what: str) -> bool:
    return await refused(keys, kid) == what


def test_a_new_key_is_looked_for_once_however_many_ask(issuer: Issuer) -> None:
    async def then(keys: IssuerKeys) -> None:
        assert await refused(keys, "first") == ""
        assert await refused(keys, "second") == "NotKnown"
        read = len(issuer.asked)
        issuer.keys.append(SECOND.jwk)
        await anyio.sleep(1.1)
        found: list[str] = []

        async def ask(kid: str) -> None:
            found.append(await refused(keys, kid))

        async with anyio.create_task_group() as group:
            for number in range(200):
                group.start_soon(ask, "second" if number % 2 else f"random {number}")
        assert sorted(set(found)) == ["", "NotKnown"]
        assert found.count("") == 100
        assert len(issuer.asked) == read + 2  # the discovery document, and the keys

    while_kept(issuer, then, pause_seconds=1)


def test_keys_that_nobody_has_do_not_make_us_ask_more_often_than_allowed(issuer: Issuer) -> None:
    async def then(keys: IssuerKeys) -> None:
        began = time.monotonic()
        while time.monotonic() - began < 1:
            assert await refused(keys, "nobody's") == "NotKnown"
            await anyio.sleep(0.001)
        pauses = (time.monotonic() - began) / 0.25
        assert 4 <= len(issuer.asked) <= 2 * (pauses + 2)

    while_kept(issuer, then, pause_seconds=0.25)


def test_a_key_that_the_issuer_withdrew_stops_counting(issuer: Issuer) -> None:
    async def then(keys: IssuerKeys) -> None:
        assert await refused(keys, "first") == ""
        issuer.keys = [SECOND.jwk]
        await eventually(lambda: answers(keys, "first", "NotKnown"))
        assert await refused(keys, "second") == ""
        issuer.keys = []
        await eventually(lambda: answers(keys, "second", "NotKnown"))

    while_kept(issuer, then, refresh_seconds=0.1, pause_seconds=0.05)


def test_while_the_issuer_is_down_its_keys_count_for_so_long_and_then_nobody_knows(
    issuer: Issuer, logged: list[str]
) -> None:
    async def then(keys: IssuerKeys) -> None:
        assert await refused(keys, "first") == ""
        issuer.answer = lambda handler: respond(handler, b"", 500)
        down = time.monotonic()
        await anyio.sleep(0.3)
        assert await refused(keys, "first") == ""
        assert await refused(keys, "second") == "NobodyKnows"
        await eventually(lambda: answers(keys, "first", "NobodyKnows"))
        assert time.monotonic() - down > 1.7
        issuer.answer = None
        await eventually(lambda: answers(keys, "first", ""))

    while_kept(issuer, then, refresh_seconds=0.1, pause_seconds=0.1, keep_seconds=2)
    said = [json.loads(line)["message"].partition(": ")[0] for line in logged]
    assert said == ["the keys of the issuer are others", "the issuer's keys cannot be read"]


def test_an_issuer_that_is_down_from_the_start_is_asked_again(issuer: Issuer) -> None:
    async def then(keys: IssuerKeys) -> None:
        with pytest.raises(NobodyKnows) as error:
            await keys.find("first", "ES256")
        assert error.value.seconds == 0.1
        issuer.answer = None
        await eventually(lambda: answers(keys, "first", ""))

    issuer.answer = lambda handler: respond(handler, b"", 503)
    while_kept(issuer, then, pause_seconds=0.1)


def test_whatever_goes_wrong_in_reading_makes_no_key_count(issuer: Issuer, logged: list[str]) -> None:
    def broken() -> Any:
        raise ZeroDivisionError

    async def then(keys: IssuerKeys) -> None:
        assert await refused(keys, "first") == "NobodyKnows"

    while_kept(issuer, then, read=broken)
    assert json.loads(logged[0])["message"].endswith("an internal error, ZeroDivisionError")


def test_nobody_waits_longer_than_one_reading_may_take(issuer: Issuer) -> None:
    stuck = threading.Event()

    async def then(keys: IssuerKeys) -> None:
        began = time.monotonic()
        assert await refused(keys, "first") == "NobodyKnows"
        assert time.monotonic() - began < 10
        stuck.set()

    while_kept(issuer, then, read=lambda: stuck.wait(20), fetch_seconds=0.2)


def slowly(handler: BaseHTTPRequestHandler) -> None:
    """Send a byte now and again, so that no wait for a single one is long."""
    handler.send_response(200)
    handler.end_headers()
    for _ in range(200):
        handler.wfile.write(b" ")
        handler.wfile.flush()
        time.sleep(0.05)


def endless(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    while True:
        handler.wfile.write(b" " * 65_536)


def many_headers(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        handler.wfile.write(b"X: y\r\n" * 1000)


ILL: dict[str, tuple[Answer, str]] = {
    "no JSON": (lambda h: respond(h, b"<html>"), "it is no JSON: Expecting value"),
    "a list": (lambda h: respond(h, b"[]"), "it is not the document of this issuer"),
    "duplicate keys": (lambda h: respond(h, b'{"issuer": 1, "issuer": 2}'), "it is no JSON: "),
    "deep": (lambda h: respond(h, b"[" * 100_000), "it is no JSON: it is nested too deeply"),
    "error": (lambda h: respond(h, b"", 500), "it answers 500, and no other address is tried"),
    "redirect": (
        lambda h: respond(h, b"", 302, to="http://169.254.169.254/"),
        "it answers 302, and no other address is tried",
    ),
    "nothing": (lambda h: h.connection.close(), "it closed the connection before it had answered"),
    "no HTTP": (
        lambda h: h.wfile.write(b"SSH-2.0\x1b[31m\r\n"),
        "what answered does not speak HTTP (BadStatusLine)",
    ),
    "cut short": (
        lambda h: respond(h, b"{}", length=9),
        "it closed the connection before it had answered",
    ),
    "huge": (endless, "the answer is larger than 512 KiB"),
    "said to be huge": (
        lambda h: respond(h, b"{}", length=1 << 40),
        "the answer is larger than 512 KiB",
    ),
    "many headers": (many_headers, "what answered does not speak HTTP (HTTPException)"),
    "slow": (slowly, "no answer within 0.5 s"),
}


@pytest.mark.parametrize("illness", ILL)
def test_an_answer_that_is_none_is_named(issuer: Issuer, illness: str) -> None:
    issuer.answer, what = ILL[illness]
    began = time.monotonic()
    with pytest.raises(IssuerUnavailable) as error:
        reader(issuer, fetch_seconds=0.5)()
    assert error.value.what.startswith(what)
    assert error.value.what.isprintable()
    assert error.value.where == f"{issuer.url}/.well-known/openid-configuration"
    assert time.monotonic() - began < 6


@pytest.mark.parametrize(
    ("said", "what"),
    [
        ({"issuer": "https://evil.example"}, "it is not the document of this issuer"),
        ({"jwks_uri": None}, "it does not say where the keys are"),
        (
            {"jwks_uri": "http://169.254.169.254/keys"},
            "nothing is fetched from there: it does not begin with",
        ),
        (
            {"jwks_uri": "file:///etc/passwd"},
            "nothing is fetched from there: it does not begin with https://",
        ),
        (
            {"jwks_uri": "https://u:p@x.example/"},
            "nothing is fetched from there: it is not a host with a path",
        ),
        ({"jwks_uri": "https://x\n.example/"}, "nothing is fetched from there: it has characters"),
        ({"jwks_uri": "https://[x/"}, "nothing is fetched from there: it is not a URL"),
    ],
)
def test_a_discovery_document_sends_us_nowhere_else(issuer: Issuer, said: dict[str, Any], what: str) -> None:
    issuer.discovery = said
    with pytest.raises(IssuerUnavailable) as error:
        reader(issuer)()
    assert error.value.what.startswith(what)


@pytest.mark.parametrize("document", [b"[]", b"{}", b'{"keys": {}}', b"\xff", b'{"keys": [NaN]}'])
def test_what_is_no_set_of_keys_is_named(issuer: Issuer, document: bytes) -> None:
    issuer.answer = lambda handler: respond(handler, document)
    with pytest.raises(IssuerUnavailable) as error:
        reader(issuer, jwks_uri=f"{issuer.url}/keys")()
    assert error.value.what.startswith("this is no JWK Set: ")


def test_keys_are_read_from_the_address_of_the_settings(issuer: Issuer) -> None:
    issuer.answer = lambda handler: respond(handler, json.dumps({"keys": issuer.keys}).encode())
    assert {kid for kid, _ in reader(issuer, jwks_uri=f"{issuer.url}/keys?of=us")().keys} == {"first"}
    assert issuer.asked == ["/keys?of=us"]


def test_a_file_of_keys_is_read_again_when_a_key_is_new(issuer: Issuer, tmp_path: Path) -> None:
    file = tmp_path / "jwks.json"
    file.write_text(json.dumps({"keys": [FIRST.jwk]}))

    async def then(keys: IssuerKeys) -> None:
        assert await refused(keys, "first") == ""
        file.write_text(json.dumps({"keys": [SECOND.jwk]}))
        await anyio.sleep(0.1)
        assert await refused(keys, "second") == ""
        assert await refused(keys, "first") == "NotKnown"
        file.unlink()
        await anyio.sleep(0.1)
        assert await refused(keys, "third") == "NobodyKnows"
        file.write_bytes(b" " * (513 << 10))
        await anyio.sleep(0.1)
        assert await refused(keys, "third") == "NobodyKnows"
        assert await refused(keys, "second") == ""

    while_kept(issuer, then, jwks_file=str(file), pause_seconds=0.05)
    assert issuer.asked == []


def test_keys_are_fetched_over_tls_from_whom_the_settings_trust(tmp_path: Path) -> None:
    authority, other = Authority("authority"), Authority("other")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue(tmp_path, "issuer"))
    ca, stranger = authority.write(tmp_path / "ca.pem"), other.write(tmp_path / "other.pem")
    with issuing(context) as issuer:
        assert {kid for kid, _ in reader(issuer, ca=str(ca))().keys} == {"first"}
        for wrong in (None, str(stranger)):
            with pytest.raises(IssuerUnavailable, match="CERTIFICATE_VERIFY_FAILED"):
                reader(issuer, ca=wrong)()
        with pytest.raises(BadConfiguration, match="authorities for an issuer cannot be read"):
            reader(issuer, ca=str(tmp_path / "nothing.pem"))
