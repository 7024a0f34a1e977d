"""Bytes that a proxy and the service could understand differently, and bytes without end."""

from __future__ import annotations

import json
import re
import select
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from mandate.engine.service import server
from mandate.engine.service.access.roles import Role
from tests.organisation import GOOD
from tests.service import Serving, bearer, serving

CALLER = "".join(f"{name}: {value}\r\n" for name, value in bearer(Role.DECIDER).items()).encode()
HEAD = b"POST /v1/decisions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
BODY = b'{"subject": 3}'
PIECES = b"%x\r\n%b\r\n0\r\n" % (len(BODY), BODY)
LENGTH = b"Content-Length: %d\r\n" % len(BODY)
NEXT = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """One that keeps a connection without a request for a second."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(server, "_KEEP_ALIVE_SECONDS", 1)
        with serving(tmp_path_factory.mktemp("service")) as running:
            yield running


@contextmanager
def connected(service: Serving) -> Iterator[socket.socket]:
    address = (service.client.base_url.host, service.client.base_url.port)
    with socket.create_connection(address, timeout=20) as connection:
        yield connection


def told(connection: socket.socket) -> bytes:
    """All that comes until the service closes."""
    return b"".join(iter(lambda: connection.recv(65536), b""))


def refused(said: bytes) -> tuple[bytes, str]:
    """The status line and the title of the one answer, after which the service has closed."""
    head, _, body = said.partition(b"\r\n\r\n")
    return head.split(b"\r\n")[0], json.loads(body)["title"]


UPGRADE = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"


def test_what_follows_an_upgrade_is_not_read_as_another_request(service: Serving) -> None:
    with connected(service) as connection:
        connection.sendall(HEAD + CALLER + UPGRADE + LENGTH + b"\r\n")
        connection.sendall(NEXT)
        said = told(connection)
    assert refused(said) == (
        b"HTTP/1.1 400 Bad Request",
        "Nothing but HTTP/1.1 is spoken here: send the request without Upgrade",
    )


def test_an_upgrade_is_refused_before_the_request_is_served(service: Serving) -> None:
    before = len(service.organisation.entries())
    for sent in (
        HEAD + CALLER + UPGRADE + LENGTH + b"\r\n" + BODY,
        b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n",
    ):
        with connected(service) as connection:
            connection.sendall(sent)
            assert refused(told(connection))[0] == b"HTTP/1.1 400 Bad Request"
    assert len(service.organisation.entries()) == before


@pytest.mark.parametrize(
    "sent",
    [
        LENGTH + b"Transfer-Encoding: chunked\r\n\r\n" + PIECES + b"\r\n",
        b"Transfer-Encoding: chunked\r\n" + LENGTH + b"\r\n" + PIECES + b"\r\n",
        LENGTH + b"Content-Length: 3\r\n\r\n" + BODY,
        b"Content-Length: +14\r\n\r\n" + BODY,
        b"Content-Length : 14\r\n\r\n" + BODY,
        b"Transfer-Encoding: xchunked\r\n\r\n" + PIECES + b"\r\n",
        b"Transfer-Encoding: chunked, identity\r\n\r\n" + PIECES + b"\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n" + PIECES.replace(b"\r\n", b"\n") + b"\n",
        b"X-A: a\r\n b\r\n" + LENGTH + b"\r\n" + BODY,
    ],
)
def test_a_body_whose_end_two_readers_find_in_two_places_is_refused(service: Serving, sent: bytes) -> None:
    with connected(service) as connection:
        connection.sendall(HEAD + CALLER + sent + NEXT)
        assert refused(told(connection))[0] == b"HTTP/1.1 400 Bad Request"


@pytest.mark.parametrize(
    ("head", "title"),
    [
        (b"GET /healthz HTTP/1.1\r\n", "HTTP/1.1 demands one Host header, and here are 0"),
        (
            b"GET /healthz HTTP/1.1\r\nHost: x\r\nHost: y\r\n",
            "HTTP/1.1 demands one Host header, and here are 2",
        ),
        (b"GET /healthz HTTP/2.0\r\nHost: x\r\n", "Nothing but HTTP/1.0 and HTTP/1.1 is spoken here"),
    ],
    ids=["no host", "two hosts", "another version"],
)
def test_a_head_that_two_readers_take_for_two_places_is_refused(
    service: Serving, head: bytes, title: str
) -> None:
    with connected(service) as connection:
        connection.sendall(head + b"\r\n")
        assert refused(told(connection)) == (b"HTTP/1.1 400 Bad Request", title)


@pytest.mark.parametrize(
    "wrong", [b"no request\r\n\r\n", HEAD + UPGRADE + LENGTH + b"\r\n"], ids=["bytes", "head"]
)
def test_who_is_being_answered_gets_that_answer_whatever_follows(service: Serving, wrong: bytes) -> None:
    question = json.dumps({"input": GOOD}).encode()
    with connected(service) as connection:
        connection.sendall(HEAD + CALLER + b"Content-Length: %d\r\n\r\n" % len(question) + question + wrong)
        head, _, body = told(connection).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert b"connection: close" in head
    assert json.loads(body)["id"] in {each["id"] for each in service.organisation.decisions()}


def test_what_comes_after_the_body_is_no_header(service: Serving) -> None:
    with connected(service) as connection:
        sent = b"Transfer-Encoding: chunked\r\n\r\n" + PIECES + CALLER + b"\r\n"
        connection.sendall(HEAD + sent + NEXT.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        said = told(connection)
    assert re.findall(rb"HTTP/1\.1 ([0-9]+)", said) == [b"401", b"200"]


@pytest.mark.parametrize(
    "begun",
    [
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: ",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n1;",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + PIECES + b"X-A: ",
        NEXT + b"\r\n",
    ],
    ids=["a header", "an extension", "a trailer", "between requests"],
)
def test_bytes_without_end_are_sent_away(service: Serving, begun: bytes) -> None:
    endless = b"\r\n" if begun.endswith(b"\n") else b"a"
    with connected(service) as connection:
        connection.sendall(begun)
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            connection.sendall(endless * (16 << 20))


def test_a_head_that_is_too_long_is_431_and_the_log_says_so(service: Serving, logged: list[str]) -> None:
    with connected(service) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n")
        while not select.select([connection], [], [], 0.01)[0]:
            connection.sendall(b"X-A: " + b"a" * 8000 + b"\r\n")
        said = connection.recv(65536)
    assert refused(said) == (
        b"HTTP/1.1 431 Request Header Fields Too Large",
        "The request has more than 65536 bytes beside its body",
    )
    (line,) = [json.loads(each) for each in logged]
    assert {name: line[name] for name in ("message", "status", "reason", "client")} == {
        "message": "a request was not read",
        "status": 431,
        "reason": "The request has more than 65536 bytes beside its body",
        "client": "127.0.0.1",
    }


def test_a_long_body_in_small_pieces_is_no_long_head(service: Serving) -> None:
    with connected(service) as connection:
        connection.sendall(HEAD + CALLER + b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n")
        for _ in range(10):
            connection.sendall(b"1\r\n \r\n" * 20_000)
        connection.sendall(PIECES + b"\r\n")
        assert told(connection).startswith(b"HTTP/1.1 422 ")


def test_an_empty_line_keeps_no_connection_for_ever(service: Serving) -> None:
    with connected(service) as connection:
        connection.sendall(b"\r\n")
        assert told(connection) == b""
