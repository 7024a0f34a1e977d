"""What sockets, TLS and HTTP raise, in one tree."""

from __future__ import annotations

import errno
import http.client
import os
import socket
import ssl
from collections.abc import Iterator

import pytest

from mandate.engine.http.failures import (
    CutOff,
    Late,
    NoAnswer,
    NotHttp,
    NotSecured,
    TooMuch,
    Unreachable,
    no_answer,
)

ENDED = "it closed the connection before it had answered"


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (TimeoutError(), Late, "no answer within 2.5 s"),
        (TimeoutError("_ssl.c: The handshake operation timed out"), Late, "no answer within 2.5 s"),
        (http.client.RemoteDisconnected(""), CutOff, ENDED),
        (http.client.IncompleteRead(b"x", 9), CutOff, ENDED),
        (http.client.BadStatusLine("SSH"), NotHttp, "what answered does not speak HTTP (BadStatusLine)"),
        (socket.gaierror(-2, "Name or service not known"), Unreachable, "its host name is not known"),
        (
            ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"),
            CutOff,
            "connection reset by peer",
        ),
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), CutOff, "broken pipe"),
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"), Unreachable, "connection refused"),
        (ConnectionRefusedError(), Unreachable, "connectionrefusederror"),
        (FileNotFoundError(errno.ENOENT, "No such file"), Unreachable, "no such file"),
        (ssl.SSLEOFError(8, "EOF occurred"), CutOff, "the secure connection was cut off"),
        (ssl.SSLZeroReturnError(6, "closed"), CutOff, "the secure connection was cut off"),
        (ssl.SSLError(1, "\x1b[2J"), NotSecured, r'the secure connection failed, "\x1b[2J"'),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_each_error_has_its_kind_and_plain_words(
    error: OSError | http.client.HTTPException, kind: type[NoAnswer], said: str
) -> None:
    failure = no_answer(error, 2.5)
    assert (type(failure), str(failure)) == (kind, said)


def descendants(kind: type[BaseException]) -> Iterator[type[BaseException]]:
    yield kind
    for child in kind.__subclasses__():
        yield from descendants(child)


def test_every_error_of_http_and_tls_is_translated() -> None:
    made: dict[str, NoAnswer] = {}
    for kind in {*descendants(http.client.HTTPException), *descendants(ssl.SSLError)}:
        if kind.__module__ in ("http.client", "ssl"):
            made[kind.__name__] = no_answer(kind.__new__(kind), 1)  # type: ignore[arg-type]  # it is one of the two
    assert len(made) > 15
    assert {type(failure) for failure in made.values()} == {CutOff, NotHttp, NotSecured}


def test_every_error_of_the_system_is_one_that_may_be_over_soon() -> None:
    for number in errno.errorcode:
        failure = no_answer(OSError(number, os.strerror(number)), 1)
        assert isinstance(failure, (Unreachable, Late))
        assert str(failure).isprintable()


@pytest.mark.parametrize(("most", "size"), [(1 << 20, "1 MiB"), (16 << 20, "16 MiB"), (512 << 10, "512 KiB")])
def test_a_limit_is_said_in_round_numbers(most: int, size: str) -> None:
    assert str(TooMuch(most)) == f"the answer is larger than {size}"
