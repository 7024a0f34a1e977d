"""Asks OPA over HTTP, in bounded time and space."""

from __future__ import annotations

import os
from collections import deque
from pathlib import Path
from types import TracebackType
from typing import Self

from ..errors import NotAnAnswer, OpaUnavailable
from ..http import endpoint, headers
from ..http.connection import Connection, Response
from ..http.deadline import Deadline
from ..http.failures import CutOff, Late, NoAnswer, NotHttp, TooMuch
from ..said import quoted
from .answer import Answer, parse
from .deadline import allowed
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
        self._endpoint = endpoint.parse(url, ca, of="OPA")
        self._timeout = timeout
        self._headers = headers.in_json(
            token, of="OPA", next_step="Write it, and nothing else, into the file that opa.token_file names"
        )
        self._idle: deque[Connection] = deque()
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
        try:
            response = self._response(Deadline(allowed(self._timeout)), method, target, body)
        except Late as error:
            raise OpaUnavailable(
                str(error),
                where=self._where,
                next_step="See whether OPA is overloaded, or allow it more time",
            ) from error
        except (TooMuch, NotHttp) as error:
            raise NotAnAnswer(
                str(error),
                where=self._where,
                next_step="Check that this address is an OPA with Mandate's policies",
            ) from error
        except NoAnswer as error:
            raise OpaUnavailable(
                f"OPA cannot be asked: {error}",
                where=self._where,
                next_step="Start OPA there, or correct its address",
            ) from error
        self._demand_an_answer(response)
        return response.body

    def _response(self, deadline: Deadline, method: str, target: str, body: bytes | None) -> Response:
        trace = TRACEPARENT.get()
        said = self._headers if trace is None else {**self._headers, HEADER: trace}
        while True:
            connection = self._kept()
            reused = connection is not None
            if connection is None:
                connection = Connection(self._endpoint)
            try:
                return connection.exchange(
                    method, target, body, said, deadline=deadline, most=_LARGEST_ANSWER
                )
            except CutOff:
                # OPA may close a connection that it kept, just as it is used again. Nothing of an
                # answer was read then, and a question changes nothing, so that it may be asked again.
                # A second question goes out on a new connection only, so this ends.
                if not reused or connection.received:
                    raise
            finally:
                if connection.reusable and len(self._idle) < _IDLE_CONNECTIONS:
                    self._idle.append(connection)
                else:
                    connection.close()

    def _demand_an_answer(self, response: Response) -> None:
        if response.status in _UNAUTHORIZED:
            raise NotAnAnswer(
                f"OPA refuses to be asked: status {response.status}, {quoted(response.body)}",
                where=self._where,
                next_step="Give Mandate the token that OPA's authorisation policy expects, "
                "and let that policy admit the decision's path",
            )
        if response.status != _OK:
            raise NotAnAnswer(
                f"status {response.status} instead of a decision: {quoted(response.body)}",
                where=self._where,
                next_step="See OPA's log for this error",
            )
        if not response.is_json:
            raise NotAnAnswer(
                f"the answer is not plain JSON but {response.shown}",
                where=self._where,
                next_step="Check that this address is an OPA and not something before it",
            )

    def _kept(self) -> Connection | None:
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
