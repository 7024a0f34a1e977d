"""Peers that answer what no real service does."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Self

Script = Callable[[socket.socket, int], None]


class Peer:
    """A server on this machine that plays one script to each connection, with the connection's number.

    It listens on a port that is free, or on the Unix socket at `path`.
    """

    def __init__(self, script: Script, path: Path | None = None) -> None:
        self._script = script
        if path is None:
            self._listener = socket.create_server(("127.0.0.1", 0))
            self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        else:
            self._listener = socket.socket(socket.AF_UNIX)
            self._listener.bind(str(path))
            self._listener.listen()
            self.url = f"unix://{path}"
        self.connections = 0
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self._open.append(connection)
                number, self.connections = self.connections, self.connections + 1
                threading.Thread(target=self._play, args=(connection, number), daemon=True).start()

    def _play(self, connection: socket.socket, number: int) -> None:
        with connection, suppress(OSError):
            self._script(connection, number)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()
        for connection in self._open:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


def read_request(connection: socket.socket) -> bytes:
    """One whole request with its body; empty at the end of the connection."""
    received = b""
    while b"\r\n\r\n" not in received:
        chunk = connection.recv(65536)
        if not chunk:
            return b""
        received += chunk
    head, _, body = received.partition(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    while len(body) < length:
        chunk = connection.recv(65536)
        if not chunk:
            return b""
        body += chunk
    return head + b"\r\n\r\n" + body


def response(body: bytes, *, status: str = "200 OK", content_type: str = "application/json") -> bytes:
    """A whole HTTP response."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode("latin-1") + body


def saying(answer: bytes) -> Script:
    """A script that gives each request the same bytes."""

    def script(connection: socket.socket, _number: int) -> None:
        while read_request(connection):
            connection.sendall(answer)

    return script


def saying_once(answer: bytes) -> Script:
    """A script that gives the first request these bytes and then closes the connection."""

    def script(connection: socket.socket, _number: int) -> None:
        read_request(connection)
        connection.sendall(answer)

    return script


def silent(connection: socket.socket, _number: int) -> None:
    """A script that reads whatever comes, and says nothing."""
    while connection.recv(65536):
        pass
