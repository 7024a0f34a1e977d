"""An OPA over a Unix socket fails as one over TCP does: the judge is told that nobody can decide."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from mandate.engine.errors import MandateError, NotAnAnswer, OpaUnavailable
from mandate.engine.opa.client import DECISION, OpaClient
from tests.engine.http.peers import Peer, saying_once, silent

NOBODY = 65534


@pytest.fixture
def place() -> Iterator[Path]:
    """Where a socket may be: a folder that everybody can enter, with a short path."""
    with TemporaryDirectory(prefix="opa-", dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder) / "s"


def failure(path: Path) -> MandateError:
    with OpaClient(f"unix://{path}", timeout=1) as client, pytest.raises(MandateError) as failed:
        client.ask(DECISION, b"{}")
    return failed.value


@contextmanager
def another_user() -> Iterator[None]:
    """Whoever may not do everything: root may use any socket."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_socket_that_is_not_there(place: Path) -> None:
    assert str(failure(place)) == (
        f'OPA at "unix://{place}": OPA cannot be asked: no such file or directory. '
        "Start OPA there, or correct its address."
    )


def test_a_socket_that_nobody_listens_on(place: Path) -> None:
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(place))
    assert "connection refused" in str(failure(place))


def test_a_file_that_is_no_socket(place: Path) -> None:
    place.touch()
    assert "connection refused" in str(failure(place))


def test_a_folder(place: Path) -> None:
    place.mkdir()
    assert "connection refused" in str(failure(place))


def test_a_socket_of_somebody_else(place: Path) -> None:
    with Peer(silent, place):
        place.chmod(0)
        with another_user():
            failed = failure(place)
    assert isinstance(failed, OpaUnavailable)
    assert "OPA cannot be asked: permission denied" in str(failed)


def test_a_socket_in_a_folder_that_is_closed_to_us(place: Path) -> None:
    with Peer(silent, place):
        place.parent.chmod(0)
        with another_user():
            failed = failure(place)
        place.parent.chmod(0o755)
    assert "OPA cannot be asked: permission denied" in str(failed)


@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        (b"", OpaUnavailable, "it closed the connection before it had answered"),
        (b"\0\1garbage\r\n\r\n", NotAnAnswer, "does not speak HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n[", OpaUnavailable, "closed the connection before"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", NotAnAnswer, "the answer is not plain JSON"),
        (b"HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\n{}", NotAnAnswer, "status 500 instead of a decision"),
    ],
    ids=["nothing", "garbage", "half", "no JSON", "an error"],
)
def test_a_stranger_on_the_socket(place: Path, answer: bytes, kind: type[MandateError], said: str) -> None:
    with Peer(saying_once(answer), place):
        failed = failure(place)
    assert (type(failed), said in str(failed)) == (kind, True), failed


def test_a_silent_one_on_the_socket(place: Path) -> None:
    began = time.monotonic()
    with Peer(silent, place):
        failed = failure(place)
    assert (type(failed), "no answer within 1 s" in str(failed)) == (OpaUnavailable, True)
    assert time.monotonic() - began < 20
