"""A socket that keeps to one deadline and to a number of bytes."""

from __future__ import annotations

import io
import socket
from typing import TYPE_CHECKING, BinaryIO

from .deadline import Deadline
from .failures import TooMuch

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class BoundedSocket:
    """What `http.client` needs of a socket, with one deadline and one limit over an exchange.

    A socket's own timeout starts anew at each read: a peer that sends one byte a second would never
    run into it. And `http.client` bounds neither the sum of an answer's chunks nor its interim answers.
    """

    def __init__(self, plain: socket.socket) -> None:
        self.plain = plain
        self._deadline = Deadline(0)
        self._limit = 0
        self.received = 0
        """Bytes that the peer sent in this exchange."""

    def begin(self, deadline: Deadline, limit: int) -> None:
        """Start an exchange that ends before `deadline` and in which the peer sends at most `limit` bytes."""
        self._deadline, self._limit, self.received = deadline, limit, 0

    def sendall(self, data: bytes) -> None:
        """Send everything before the deadline."""
        self.plain.settimeout(self._deadline.remaining())
        self.plain.sendall(data)

    def makefile(self, _mode: str) -> BinaryIO:
        """A buffered stream of what the peer sends."""
        return io.BufferedReader(_BoundedReads(self))

    def close(self) -> None:
        """Close it; streams that were made from it can still be read to their end."""
        self.plain.close()

    def receive(self, stream: io.RawIOBase, buffer: WriteableBuffer) -> int:
        """Read from the socket's stream. `TimeoutError` past the deadline, `TooMuch` past the limit."""
        self.plain.settimeout(self._deadline.remaining())
        count = stream.readinto(buffer) or 0
        self.received += count
        if self.received > self._limit:
            raise TooMuch(self._limit)
        return count


class _BoundedReads(io.RawIOBase):
    """The bytes that arrive."""

    def __init__(self, bounded: BoundedSocket) -> None:
        self._bounded = bounded
        # The standard library's own stream keeps the socket open until the response was read.
        self._stream: io.RawIOBase = bounded.plain.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        return self._bounded.receive(self._stream, buffer)

    def close(self) -> None:
        self._stream.close()
        super().close()
