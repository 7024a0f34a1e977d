"""Why there is no answer: one tree for what sockets, TLS and `http.client` raise.

    NoAnswer
    ├── Late           not all of it came in time
    ├── TooMuch        more came than may
    ├── NotHttp        what came is no HTTP
    ├── NotSecured     nobody is there whom we trust
    └── Unreachable    there is no connection, and a moment later there may be one
        └── CutOff     the connection ended before the answer did

Each is a clause in plain words, fit for a message: what a peer says in it (in its certificate) is escaped.
"""

from __future__ import annotations

import http.client
import socket

from ..said import quoted

_MEBIBYTE = 1 << 20


class NoAnswer(Exception):
    """There is no whole answer."""


class Late(NoAnswer):
    """The deadline passed, `seconds` after it was set."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"no answer within {seconds:.3g} s")


class TooMuch(NoAnswer):
    """The peer sent more than `most` bytes, or said that it would."""

    def __init__(self, most: int) -> None:
        size = f"{most >> 20} MiB" if most >= _MEBIBYTE else f"{most >> 10} KiB"
        super().__init__(f"the answer is larger than {size}")


class NotHttp(NoAnswer):
    """What answered speaks something else."""


class NotSecured(NoAnswer):
    """There is no TLS with somebody whom we trust; asked again, it would be the same."""


class Unreachable(NoAnswer):
    """Nobody can be asked there now."""


class CutOff(Unreachable):
    """The peer, or something on the way to it, ended the connection."""


_ENDED = (BrokenPipeError, ConnectionAbortedError, ConnectionResetError)


def no_answer(error: OSError | http.client.HTTPException, seconds: float) -> NoAnswer:
    """What this means in an exchange that had so many seconds."""
    if isinstance(error, TimeoutError):
        return Late(seconds)
    if isinstance(error, (http.client.RemoteDisconnected, http.client.IncompleteRead)):
        return CutOff("it closed the connection before it had answered")
    if isinstance(error, http.client.HTTPException):
        return NotHttp(f"what answered does not speak HTTP ({type(error).__name__})")
    if isinstance(error, socket.gaierror):
        return Unreachable("its host name is not known")
    if type(error).__module__ == "ssl":
        return _of_tls(error)
    words = (error.strerror or type(error).__name__).lower()
    return CutOff(words) if isinstance(error, _ENDED) else Unreachable(words)


def _of_tls(error: OSError) -> NoAnswer:
    import ssl  # only where something raised what is of it: who asks without TLS need not load it

    if isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        return CutOff("the secure connection was cut off")
    return NotSecured(f"the secure connection failed, {quoted(str(error))}")
