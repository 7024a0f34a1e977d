"""One exchange: whole, or an error that says why there is none."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from mandate.engine.http import endpoint
from mandate.engine.http.connection import Connection, Response
from mandate.engine.http.deadline import Deadline
from mandate.engine.http.failures import CutOff, Late, NoAnswer, NotHttp, TooMuch, Unreachable
from tests.engine.http.peers import Peer, Script, read_request, response, saying, saying_once

MOST = 4 << 10
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@contextmanager
def connected(script: Script, prefix: str = "") -> Iterator[Connection]:
    with Peer(script) as peer, closing(to(peer.url + prefix)) as connection:
        yield connection


def to(url: str) -> Connection:
    return Connection(endpoint.parse(url, of="it"))


def ask(connection: Connection, body: bytes | None = None, *, seconds: float = 5.0) -> Response:
    method = "GET" if body is None else "POST"
    return connection.exchange(method, "/of?us", body, {"X": "y"}, deadline=Deadline(seconds), most=MOST)


def test_the_question_is_sent_as_it_is_and_the_answer_is_whole() -> None:
    asked: list[bytes] = []

    def script(peer: socket.socket, _number: int) -> None:
        while request := read_request(peer):
            asked.append(request)
            peer.sendall(response(b'{"a": 1}', content_type="Application/JSON; charset=utf-8"))

    with connected(script, "/behind/") as connection:
        answers = [ask(connection, b"[1]"), ask(connection)]
        assert connection.reusable
    for answer in answers:
        assert (answer.status, answer.body) == (200, b'{"a": 1}')
        assert (answer.media_type, answer.is_json) == ("application/json", True)
        assert answer.shown == '"Application/JSON; charset=utf-8": "{"a": 1}"'
    with_body, without = ([*request.split(b"\r\n")] for request in asked)
    assert (with_body[0], with_body[-1]) == (b"POST /behind/of?us HTTP/1.1", b"[1]")
    assert without[0] == b"GET /behind/of?us HTTP/1.1"
    assert b"X: y" in with_body
    assert b"X: y" in without


@pytest.mark.parametrize(
    ("header", "is_json"),
    [
        (b"Content-Type: application/json", True),
        (b"Content-Type: application/json\r\nContent-Encoding: identity", True),
        (b"Content-Type: application/json\r\nContent-Encoding: gzip", False),
        (b"Content-Type: application/problem+json", False),
        (b"Content-Type: text/html", False),
        (b"X: y", False),
    ],
)
def test_json_is_what_says_so_and_is_not_compressed(header: bytes, is_json: bool) -> None:
    answer = b"HTTP/1.1 200 OK\r\n" + header + b"\r\nContent-Length: 2\r\n\r\n{}"
    with connected(saying(answer)) as connection:
        assert ask(connection).is_json is is_json


def test_a_connection_that_the_peer_closes_is_not_reused() -> None:
    with connected(saying_once(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}")) as connection:
        ask(connection)
        assert not connection.reusable


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"", CutOff),
        (response(b"0123456789")[:-1], CutOff),
        (CHUNKED + b"5\r\n012", CutOff),
        (CHUNKED + b"-5\r\n01234\r\n0\r\n\r\n", NotHttp),
        (b"SSH-2.0\r\n", NotHttp),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 101 + b"\r\n", NotHttp),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 4097\r\n\r\n", TooMuch),
        (response(b" " * MOST), TooMuch),
        (CHUNKED + (b"100\r\n" + b" " * 256 + b"\r\n") * 17, TooMuch),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 200, TooMuch),
    ],
    ids=[
        "nothing",
        "cut",
        "cut chunk",
        "negative",
        "ssh",
        "headers",
        "announced",
        "sent",
        "chunks",
        "interim",
    ],
)
def test_what_is_no_whole_answer_is_named_and_ends_the_connection(
    answer: bytes, kind: type[NoAnswer]
) -> None:
    with connected(saying_once(answer)) as connection:
        with pytest.raises(NoAnswer) as failure:
            ask(connection)
        assert (type(failure.value), connection.reusable) == (kind, False)


def test_an_answer_that_trickles_is_late() -> None:
    def script(peer: socket.socket, _number: int) -> None:
        read_request(peer)
        for byte in response(b" " * 1000):
            peer.sendall(bytes([byte]))
            time.sleep(0.02)

    with connected(script) as connection:
        with pytest.raises(Late, match=r"^no answer within 0\.2 s$"):
            ask(connection, seconds=0.2)
        assert 0 < connection.received < 1000


def test_where_nobody_listens_nobody_is_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with closing(to(f"http://127.0.0.1:{port}")) as connection:
        with pytest.raises(Unreachable, match=r"^connection refused$"):
            ask(connection)
        assert (connection.received, connection.is_quiet()) == (0, False)


def test_a_connection_is_quiet_until_something_comes_that_nobody_asked_for() -> None:
    def script(peer: socket.socket, _number: int) -> None:
        read_request(peer)
        peer.sendall(response(b"{}"))
        time.sleep(0.3)
        peer.sendall(b"HTTP/1.1 200 OK\r\n")
        read_request(peer)

    with connected(script) as connection:
        ask(connection)
        assert connection.is_quiet()
        deadline = Deadline(5)
        while connection.is_quiet():
            assert deadline.remaining()
            time.sleep(0.01)
