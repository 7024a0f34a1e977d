"""Asks a service of Mandate's over HTTP, in bounded time and space, and again where that is safe.

Every question has a key of its own (`Idempotency-Key`): asked again under it, it gets the answer that is on
record. So a question whose answer was lost can be asked again, and is decided once.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import strict_json
from ..errors import BadConfiguration, BadInput, BadRequest, CouldNotDecide, UnknownSubject
from ..opa import endpoint
from ..opa.deadline import BoundedSocket, Deadline, TooMuch, read_whole
from ..opa.endpoint import Endpoint
from ..opa.said import quoted

_MANDATE = "Mandate"
_LARGEST_ANSWER = 16 << 20
_ATTEMPTS = 5
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 30.0
_LONGEST_KEY = 200
_DIGITS = 9
"""Of `Retry-After`: more is no answer."""
_OK = (200, 201, 503)
_REFUSED = 400
_FAILED = 500
_TRY_AGAIN = (429, 502, 503, 504)
_UNAUTHORIZED = (401, 403)
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class ServiceUnavailable(CouldNotDecide):
    """The service cannot be reached, or has not answered in time."""


class NotBelieved(CouldNotDecide):
    """Something answered that is no answer of the service to this question."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the service answered: a JSON object, and its status."""

    status: int
    body: dict[str, Any]


class Service:
    """The service at one address. A question has a connection of its own.

    `seconds`: for one question from end to end, all attempts included. `token`: sent as a bearer token.
    `ca`: PEM file with the only authorities to trust for `https://`. `plain`: whether `http://` may lead to
    another machine, where everybody on the way can read the token and forge the answer.
    """

    def __init__(
        self,
        url: str,
        *,
        seconds: float,
        token: str | None = None,
        ca: Path | None = None,
        plain: bool = False,
    ) -> None:
        self._endpoint = endpoint.parse(url, ca, of=_MANDATE)
        exposed = self._endpoint.tls is None and self._endpoint.socket_path is None
        if exposed and not plain and self._endpoint.host not in _LOOPBACK:
            raise BadConfiguration(
                "over plain HTTP anybody on the way can read the token and forge an allow",
                where=quoted(url),
                next_step="Use https://, or say --plain-http if nobody else is on the way",
            )
        self._seconds = seconds
        self._headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if token is not None:
            if not (token.isascii() and token.isprintable()) or " " in token or not token:
                raise BadConfiguration(
                    "the token is empty, or has characters that a header cannot carry",
                    next_step="Give the token as `mandate token` printed it",
                )
            self._headers["Authorization"] = f"Bearer {token}"

    @property
    def where(self) -> str:
        """The service, for messages."""
        return f"{_MANDATE} at {quoted(self._endpoint.url)}"

    def post(self, target: str, document: Any, *, key: str | None = None) -> Reply:
        """What the service answers to this document under this key: 200, 201, or 503 with an outcome.

        `BadRequest` where the caller must change something. `ServiceUnavailable` if there is no answer in
        time, `NotBelieved` for what is none.
        """
        body = json.dumps(document).encode()
        headers = self._headers | {"Idempotency-Key": os.urandom(16).hex() if key is None else checked(key)}
        deadline, end = Deadline(self._seconds), time.monotonic() + self._seconds
        pause, attempt = _FIRST_PAUSE, 1
        while True:
            try:
                return self._answered(*self._exchange(deadline, target, body, headers))
            except _Again as again:
                wait = min(again.seconds or pause, _LONGEST_PAUSE)
                if attempt == _ATTEMPTS or time.monotonic() + wait >= end:
                    raise again.error from again.__cause__
            time.sleep(wait)
            attempt, pause = attempt + 1, pause * 2

    def _exchange(
        self, deadline: Deadline, target: str, body: bytes, headers: Mapping[str, str]
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        """One exchange on a connection of its own. `_Again` if it may be had again."""
        try:
            connection = _Connection(self._endpoint, deadline)
            try:
                connection.request("POST", self._endpoint.prefix + target, body, dict(headers))
                response = connection.getresponse()
                return response.status, response.headers, read_whole(response, _LARGEST_ANSWER)
            finally:
                connection.close()
        except TimeoutError as error:
            raise ServiceUnavailable(
                f"no answer within {deadline.seconds:.3g} s",
                where=self.where,
                next_step="Allow it more time with --timeout, or see whether it is overloaded",
            ) from error
        except TooMuch as error:
            raise self._not_believed(f"the answer is larger than {_LARGEST_ANSWER >> 20} MiB") from error
        except (http.client.RemoteDisconnected, http.client.IncompleteRead) as error:
            raise _Again(self._unavailable("it closed the connection before it had answered")) from error
        except http.client.HTTPException as error:
            raise self._not_believed(f"what answered does not speak HTTP ({type(error).__name__})") from error
        except ssl.SSLError as error:
            if isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
                raise _Again(self._unavailable("the secure connection was cut off")) from error
            raise self._unavailable(f"the secure connection failed, {quoted(str(error))}") from error
        except OSError as error:
            raise _Again(self._unavailable(_reason(error))) from error

    def _answered(self, status: int, headers: http.client.HTTPMessage, body: bytes) -> Reply:
        """The JSON object that was sent; what is no answer becomes an error."""
        kind = headers.get_content_type()
        if kind == "application/problem+json" and status >= _REFUSED:
            raise self._problem(status, headers, body)
        if status in _UNAUTHORIZED:
            raise BadRequest(
                f"what stands before it refuses to be asked: status {status}, {quoted(body)}",
                where=self.where,
                next_step="Give a token that counts there, with --token-file or MANDATE_TOKEN",
            )
        if kind != "application/json" or "Content-Encoding" in headers:
            said = f"status {status}, {quoted(headers.get('Content-Type', 'no type'), 80)}: {quoted(body)}"
            error = self._not_believed(f"this is no answer of Mandate's: {said}")
            raise _Again(error, _seconds(headers)) if status in _TRY_AGAIN else error
        try:
            document = strict_json.parse(body)
        except strict_json.NotStrict as error:
            raise self._not_believed(f"the answer is not JSON: {error}") from error
        if not isinstance(document, dict) or status not in _OK:
            raise self._not_believed(f"this is no answer of Mandate's: status {status}, {quoted(body)}")
        return Reply(status, document)

    def _problem(
        self, status: int, headers: http.client.HTTPMessage, body: bytes
    ) -> CouldNotDecide | BadRequest | _Again:
        """What problem details (RFC 9457) say, as an error."""
        try:
            problem = strict_json.parse(body)
        except strict_json.NotStrict:
            problem = None
        if not isinstance(problem, dict):
            return self._not_believed(f"these are no problem details: status {status}, {quoted(body)}")
        what, next_step = _said(problem), str(problem.get("next_step", ""))
        if status in _TRY_AGAIN:
            error = ServiceUnavailable(what, where=self.where, next_step=next_step)
            return _Again(error, _seconds(headers))
        if status >= _FAILED:
            return ServiceUnavailable(what, where=self.where, next_step=next_step)
        return _ERRORS.get(status, BadRequest)(what, where=self.where, next_step=next_step)

    def _unavailable(self, what: str) -> ServiceUnavailable:
        return ServiceUnavailable(
            f"it cannot be asked: {what}",
            where=self.where,
            next_step="Start it, or correct the address in --server or MANDATE_SERVER",
        )

    def _not_believed(self, what: str) -> NotBelieved:
        return NotBelieved(
            what,
            where=self.where,
            next_step="Check that this is Mandate's address, and nothing stands before it",
        )


_ERRORS: Mapping[int, type[BadRequest]] = {404: UnknownSubject, 422: BadInput}


class _Again(Exception):
    """It went wrong in a way that may be over soon, and nothing speaks against asking again."""

    def __init__(self, error: CouldNotDecide, seconds: float | None = None) -> None:
        super().__init__(str(error))
        self.error = error
        self.seconds = seconds
        """How long the service asks to wait."""


class _Connection(http.client.HTTPConnection):
    """One connection under a deadline."""

    auto_open = 0  # never to be reopened in the midst of an exchange

    def __init__(self, where: Endpoint, deadline: Deadline) -> None:
        super().__init__(where.authority)
        bounded = BoundedSocket(where.connect(deadline))
        bounded.begin(deadline, _LARGEST_ANSWER)
        self.sock = bounded


def checked(key: str) -> str:
    """The key, as a header can carry it. `BadRequest` if none can."""
    if not (key.isascii() and key.isprintable() and 0 < len(key) <= _LONGEST_KEY and key.strip() == key):
        raise BadRequest(
            f"a service takes a request key of 1 to {_LONGEST_KEY} printable ASCII characters",
            where="--request-key",
            next_step="Shorten it",
        )
    return key


def _said(problem: Mapping[str, Any]) -> str:
    """One clause: the detail, and each fault with its place."""
    faults = problem.get("errors")
    named = [
        f"{each.get('pointer')}: {each.get('detail')}"
        for each in (faults if isinstance(faults, list) else [])
        if isinstance(each, dict)
    ]
    title, detail = str(problem.get("title", "a problem")), str(problem.get("detail", ""))
    return "; ".join(part for part in (detail or title, *named) if part).removesuffix(".")


def _seconds(headers: http.client.HTTPMessage) -> float | None:
    after = headers.get("Retry-After", "")
    return float(after) if after.isascii() and after.isdigit() and len(after) <= _DIGITS else None


def _reason(error: OSError) -> str:
    if isinstance(error, socket.gaierror):
        return "its host name is not known"
    return (error.strerror or type(error).__name__).lower()
