"""A served process and its issuer: rotated under load, slow, down, and what a raw connection can send."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from mandate.engine.service.access.roles import Role
from tests.issuer import Issuer, issuing, key, respond
from tests.organisation import founded
from tests.served import Running, eventually, served
from tests.service import TOKENS, bearer

ROUTE = "/v1/consistency?first=0&second=0"


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with issuing() as running:
        yield running


@pytest.fixture
def running(issuer: Issuer, tmp_path: Path) -> Iterator[Running]:
    """A process that reads its issuer's keys each second."""
    times = {"refresh_seconds": 1, "pause_seconds": 1, "keep_seconds": 2, "fetch_seconds": 1}
    with served(founded(tmp_path, trusting=True), oidc=[issuer.settings(**times)]) as process:
        yield process


def status(client: httpx.Client, token: str) -> int:
    return client.get(ROUTE, headers={"Authorization": f"Bearer {token}"}).status_code


def test_keys_are_rotated_under_load_and_nobody_is_refused(running: Running, issuer: Issuer) -> None:
    ended, seen = threading.Event(), set[int]()
    signer = [key("first")]

    def ask() -> None:
        with running.client() as client:
            while not ended.is_set():
                seen.add(status(client, issuer.token(by=signer[0])))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(3):
        # As issuers do it: the new key is published, then it signs, and later the old one is withdrawn.
        fresh = key(f"rotated {number}")
        issuer.keys.append(fresh.jwk)
        read = len(issuer.asked)
        eventually(lambda read=read: len(issuer.asked) > read + 3)  # type: ignore[misc]
        old, signer[0] = signer[0], fresh
        time.sleep(0.2)
        issuer.keys.remove(old.jwk)
    ended.set()
    for thread in threads:
        thread.join()
    assert seen == {200}
    with running.client() as client:
        eventually(lambda: status(client, issuer.token(by=key("first"))) == 401)


def test_an_issuer_that_goes_is_503_after_a_while_and_holds_nobody_up(
    running: Running, issuer: Issuer, tmp_path: Path
) -> None:
    def hang(_: object) -> None:
        time.sleep(30)

    with running.client() as client:
        assert status(client, issuer.token()) == 200
        issuer.answer = hang
        gone = time.monotonic()
        eventually(lambda: status(client, issuer.token()) == 503)
        assert time.monotonic() - gone > 0.9
        response = client.get(ROUTE, headers={"Authorization": f"Bearer {issuer.token()}"})
        assert (response.status_code, response.json()["detail"], response.headers["retry-after"]) == (
            503,
            "the keys of your token's issuer are not known",
            "1",
        )
        stranger = {"Authorization": f"Bearer {issuer.token(by=key('random'))}"}
        waiting = [
            threading.Thread(target=lambda: httpx.get(running.url + ROUTE, headers=stranger, timeout=60))
            for _ in range(60)
        ]
        for thread in waiting:
            thread.start()
        longest = 0.0
        for _ in range(20):
            began = time.monotonic()
            assert client.get("/v1/decisions", headers=bearer(Role.AUDITOR)).status_code == 200
            longest = max(longest, time.monotonic() - began)
        assert longest < 2
        for thread in waiting:
            thread.join()
        issuer.answer = None
        eventually(lambda: status(client, issuer.token()) == 200)
    log = (tmp_path / "serve.log").read_text()
    assert issuer.token().partition(".")[0] not in log
    assert "the issuer's keys cannot be read" in log
    issuer.answer = hang
    time.sleep(1.2)
    began = time.monotonic()
    assert running.stop() == 0
    assert time.monotonic() - began < 10


def test_an_issuer_that_is_down_at_the_start_stops_nobody_else(issuer: Issuer, tmp_path: Path) -> None:
    issuer.answer = lambda handler: respond(handler, b"", 500)
    with (
        served(founded(tmp_path, trusting=True), oidc=[issuer.settings(pause_seconds=1)]) as running,
        running.client() as client,
    ):
        assert client.get("/v1/decisions", headers=bearer(Role.AUDITOR)).status_code == 200
        assert status(client, issuer.token()) == 503
        issuer.answer = None
        eventually(lambda: status(client, issuer.token()) == 200)


def test_what_no_client_would_send_is_refused_and_reaches_the_log_as_text(
    running: Running, tmp_path: Path
) -> None:
    token = TOKENS[Role.AUDITOR][0].encode()
    host, _, port = running.url.removeprefix("http://").partition(":")

    def sent(*headers: bytes, line: bytes = b"GET /v1/decisions HTTP/1.1") -> bytes:
        with socket.create_connection((host, int(port)), timeout=30) as raw:
            raw.sendall(b"\r\n".join([line, b"Host: x", *headers, b"Connection: close", b"", b""]))
            answer = b""
            while part := raw.recv(65_536):
                answer += part
        return answer

    good = b"Authorization: Bearer " + token
    assert sent(good).startswith(b"HTTP/1.1 200")
    refused = {
        "twice": sent(good, good),
        "twice in two spellings": sent(good, good.replace(b"Auth", b"auTH")),
        "folded": sent(b"Authorization: Bearer", b" " + token),
        "ESC": sent(b"Authorization: Bearer \x1b[31m" + token),
        "NUL": sent(b"Authorization: Bearer \x00" + token),
        "a bare CR": sent(b"Authorization: Bearer " + token + b"\r\nX: y\rZ: 1"),
        "not UTF-8": sent(b"Authorization: Bearer \xff\xfe" + token),
        "C1": sent(b"Authorization: Bearer " + token + b"\xc2\x9b31m"),
        "in the line": sent(line=b"GET /v1/decisions?access_token=" + token + b" HTTP/1.1"),
        "ESC in the line": sent(good, line=b"GET /v1/\x1b[2Jdecisions HTTP/1.1"),
        "escaped in the line": sent(good, line=b"GET /v1/decisions%0d%0aSet-Cookie:%20a=b HTTP/1.1"),
        "a name of a method": sent(good, line=b"GE\x1bT /v1/decisions HTTP/1.1"),
    }
    statuses = {name: answer.split(b" ")[1] for name, answer in refused.items()}
    assert {name: each for name, each in statuses.items() if each not in (b"400", b"401", b"404")} == {}
    assert all(b"\x1b" not in answer and b"Set-Cookie" not in answer for answer in refused.values())
    assert sent(good).startswith(b"HTTP/1.1 200")
    log = (tmp_path / "serve.log").read_bytes()
    assert token not in log
    assert log.isascii()
    assert not set(log) & {*range(0x20)} - {0x0A}
    lines = [json.loads(line) for line in log.splitlines()]
    assert {line["message"] for line in lines if line.get("route") == "decisions"} == {"refused"}
