"""Asks OPA over HTTP, in bounded time and space."""

from __future__ import annotations

import http.client
import os
import select
import socket
from collections import deque
from pathlib import Path
from types import TracebackType
from typing import Self

from ..errors import BadConfiguration, CouldNotDecide, NotAnAnswer, OpaUnavailable
from . import endpoint
from .answer import Answer, parse
from .deadline import BoundedSocket, Deadline, TooMuch, allowed, read_whole
from .endpoint import Endpoint
from .said import quoted
from .traced import HEADER, TRACEPARENT

BUNDLE = "mandate"
"""The name under which OPA is given Mandate's policies."""
DECISION = "mandate/main/decision"
"""Path of the one entrypoint."""
BATCH = "batch"
"""Path of the decisions on many inputs, in an OPA that takes batches: see `LocalOpa`."""
PARAMETERS = "strict-builtin-errors=true&provenance=true"
"""Of every question: an error in a builtin is an error, not *undefined*; and OPA says who answers."""
_LARGEST_ANSWER = 16 << 20
_IDLE_CONNECTIONS = 32
_OK = 200
_UNAUTHORIZED = (401, 403)


class OpaClient:
    """One OPA at one address. Threads may share it; each question has a connection of its own.

    `timeout`: seconds for one question from end to end, name look-up, connection and handshake included.
    `token`: sent as a bearer token. `ca`: PEM file with the only authorities to trust for `https://`.
    """

    def __init__(self, url: str, *, timeout: float, token: str | None = None, ca: Path | None = None) -> None:
        self._endpoint = endpoint.parse(url, ca)
        self._timeout = timeout
        self._headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if token is not None:
            if not (token.isascii() and token.isprintable()) or " " in token:
                raise BadConfiguration("OPA's token has characters that a header cannot carry")
            self._headers["Authorization"] = f"Bearer {token}"
        self._idle: deque[_Connection] = deque()
        self._process = os.getpid()

    @property
    def url(self) -> str:
        """The address, as configured."""
        return self._endpoint.url

    def ask(self, path: str, document: bytes) -> Answer:
        """What the policies at `path` (such as `mandate/main/decision`) say to this input document.

        `document` is sent as it is: what is digested and recorded is byte for byte what was judged.
        `OpaUnavailable` if there is no answer in time, `NotAnAnswer` if it is not one of OPA's.
        """
        body = self._exchange("POST", f"/v1/data/{path}?{PARAMETERS}", b'{"input":%b}' % document)
        return parse(body, self._where)

    def health(self) -> None:
        """Return if OPA is ready to answer; raise as `ask` does if it is not."""
        self._exchange("GET", "/health", None)

    def close(self) -> None:
        """Close the connections that are kept for reuse."""
        while self._idle:
            self._idle.pop().close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def _where(self) -> str:
        return f"OPA at {quoted(self.url)}"

    def _exchange(self, method: str, target: str, body: bytes | None) -> bytes:
        deadline = Deadline(self._timeout)
        try:
            deadline = Deadline(allowed(self._timeout))
            while True:
                connection = self._kept()
                reused = connection is not None
                if connection is None:
                    connection = _Connection(self._endpoint)
                try:
                    answer = self._on(connection, deadline, method, target, body)
                except (http.client.RemoteDisconnected, ConnectionError):
                    # OPA may close a connection that it kept, just as it is used again. Nothing of an
                    # answer was read then, and a question changes nothing, so that it may be asked again.
                    # A second question goes out on a new connection only, so this ends.
                    if reused and not connection.received:
                        continue
                    raise
                return answer
        except CouldNotDecide:
            raise
        except TimeoutError as error:
            raise OpaUnavailable(
                f"no answer within {deadline.seconds:.3g} s",
                where=self._where,
                next_step="See whether OPA is overloaded, or allow it more time",
            ) from error
        except TooMuch as error:
            raise NotAnAnswer(
                f"the answer is larger than {_LARGEST_ANSWER >> 20} MiB",
                where=self._where,
                next_step="Check that this address is an OPA with Mandate's policies",
            ) from error
        except http.client.HTTPException as error:
            if isinstance(error, (http.client.RemoteDisconnected, http.client.IncompleteRead)):
                raise self._unavailable("it closed the connection before it had answered") from error
            raise NotAnAnswer(
                f"what answered does not speak HTTP as OPA does ({type(error).__name__})",
                where=self._where,
                next_step="Check that this address is an OPA",
            ) from error
        except OSError as error:
            raise self._unavailable(_reason(error)) from error

    def _on(
        self, connection: _Connection, deadline: Deadline, method: str, target: str, body: bytes | None
    ) -> bytes:
        """One exchange on this connection, which is kept for the next one only if all of it went well."""
        whole = False
        try:
            connection.begin(deadline)
            trace = TRACEPARENT.get()
            headers = self._headers if trace is None else {**self._headers, HEADER: trace}
            connection.request(method, self._endpoint.prefix + target, body, headers)
            response = connection.getresponse()
            try:
                answer = read_whole(response, _LARGEST_ANSWER)
                whole = not response.will_close
            finally:
                response.close()
            self._demand_an_answer(response, answer)
        finally:
            if whole and len(self._idle) < _IDLE_CONNECTIONS:
                self._idle.append(connection)
            else:
                connection.close()
        return answer

    def _demand_an_answer(self, response: http.client.HTTPResponse, body: bytes) -> None:
        if response.status in _UNAUTHORIZED:
            raise NotAnAnswer(
                f"OPA refuses to be asked: status {response.status}, {quoted(body)}",
                where=self._where,
                next_step="Give Mandate the token that OPA's authorisation policy expects, "
                "and let that policy admit the decision's path",
            )
        if response.status != _OK:
            raise NotAnAnswer(
                f"status {response.status} instead of a decision: {quoted(body)}",
                where=self._where,
                next_step="See OPA's log for this error",
            )
        kind = response.headers.get("Content-Type", "no type")
        coding = response.headers.get("Content-Encoding", "identity")
        if response.headers.get_content_type() != "application/json" or coding != "identity":
            raise NotAnAnswer(
                f"the answer is not plain JSON but {quoted(kind, 80)}: {quoted(body)}",
                where=self._where,
                next_step="Check that this address is an OPA and not something before it",
            )

    def _kept(self) -> _Connection | None:
        if self._process != os.getpid():
            # After a fork both processes would read answers from the same sockets, each other's too.
            self._idle, self._process = deque(), os.getpid()
        while self._idle:
            try:
                connection = self._idle.pop()
            except IndexError:  # another thread took it
                return None
            if connection.is_quiet():
                return connection
            connection.close()
        return None

    def _unavailable(self, what: str) -> OpaUnavailable:
        return OpaUnavailable(
            f"OPA cannot be asked: {what}",
            where=self._where,
            next_step="Start OPA there, or correct its address",
        )


class _Connection(http.client.HTTPConnection):
    """One connection, each exchange on it under its own deadline."""

    auto_open = 0  # never to be reopened in the midst of an exchange

    def __init__(self, where: Endpoint) -> None:
        super().__init__(where.authority)
        self._endpoint = where
        self._bounded: BoundedSocket | None = None

    def begin(self, deadline: Deadline) -> None:
        """Start an exchange."""
        if self._bounded is None:
            self._bounded = BoundedSocket(self._endpoint.connect(deadline))
            self.sock = self._bounded
        self._bounded.begin(deadline, _LARGEST_ANSWER)

    @property
    def received(self) -> int:
        """Bytes of an answer that came in this exchange."""
        return 0 if self._bounded is None else self._bounded.received

    def is_quiet(self) -> bool:
        """Whether nothing came since the last answer: neither the end, nor an answer to no question."""
        if self._bounded is None or self.sock is None:
            return False
        poll = select.poll()
        poll.register(self._bounded.plain, select.POLLIN)
        return not poll.poll(0)


def _reason(error: OSError) -> str:
    """The system's words for it; a peer's words (in a certificate) escaped."""
    if isinstance(error, socket.gaierror):
        return "its host name is not known"
    if type(error).__module__ == "ssl":
        return f"the secure connection failed, {quoted(str(error))}"
    return (error.strerror or type(error).__name__).lower()
