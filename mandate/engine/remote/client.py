"""Asks a service of Mandate's over HTTP, in bounded time and space, and again where that is safe.

Every question has a key of its own (`Idempotency-Key`): asked again under it, it gets the answer that is on
record. So a question whose answer was lost can be asked again, and is decided once.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Container, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from .. import strict_json
from ..errors import BadConfiguration, BadInput, BadRequest, CouldNotDecide, UnknownSubject
from ..http import endpoint, headers
from ..http.connection import Connection, Response
from ..http.deadline import Deadline
from ..http.failures import Late, NoAnswer, NotHttp, TooMuch, Unreachable
from ..said import quoted

T = TypeVar("T")

_MANDATE = "Mandate"
_LARGEST_ANSWER = 16 << 20
_ATTEMPTS = 5
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 30.0
_LONGEST_KEY = 200
_DIGITS = 9
"""Of `Retry-After`: more is no answer."""
_OK = (200, 201, 503)
_FOUND = (200,)
_REFUSED = 400
_FAILED = 500
_TRY_AGAIN = (429, 502, 503, 504)
_UNKNOWN = 401
_UNAUTHORIZED = (_UNKNOWN, 403)
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
    `ca`: PEM file with the only authorities to trust for `https://`. `certificate`: PEM file with the one to
    be known by, and the file with its key. `plain`: whether `http://` may lead to another machine, where
    everybody on the way can read the token and forge the answer.
    """

    def __init__(
        self,
        url: str,
        *,
        seconds: float,
        token: str | None = None,
        ca: Path | None = None,
        certificate: tuple[Path, Path | None] | None = None,
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
        if certificate is not None:
            if self._endpoint.tls is None:
                raise BadConfiguration(
                    "a certificate is shown over https:// only",
                    where=quoted(url),
                    next_step="Use https://, or leave --certificate out",
                )
            endpoint.show(self._endpoint.tls, *certificate, of=_MANDATE)
        self._seconds = seconds
        self._anonymous = token is None and certificate is None
        self._headers = headers.in_json(
            token, of=_MANDATE, next_step="Give the token as `mandate token` printed it"
        )

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
        said = self._headers | {"Idempotency-Key": os.urandom(16).hex() if key is None else checked(key)}
        return self._asked("POST", target, body, said, partial(self._document, ok=_OK))

    def get(self, target: str) -> dict[str, Any]:
        """The JSON object that the service has there. Errors are those of `post`."""
        return self._asked("GET", target, None, self._headers, partial(self._document, ok=_FOUND)).body

    def read(self, target: str, *, kind: str) -> bytes:
        """What the service has there, of this media type and not yet looked into. Errors are those of
        `post`."""
        said = self._headers | {"Accept": kind}
        return self._asked("GET", target, None, said, partial(self._content, kind=kind, ok=_FOUND))

    def _asked(
        self,
        method: str,
        target: str,
        body: bytes | None,
        headers: Mapping[str, str],
        understood: Callable[[Response], T],
    ) -> T:
        """What is `understood` of the answer, which is asked for again where that may help."""
        deadline, end = Deadline(self._seconds), time.monotonic() + self._seconds
        pause, attempt = _FIRST_PAUSE, 1
        while True:
            try:
                return understood(self._exchange(deadline, method, target, body, headers))
            except _Again as again:
                wait = min(again.seconds or pause, _LONGEST_PAUSE)
                if attempt == _ATTEMPTS or time.monotonic() + wait >= end:
                    raise again.error from again.__cause__
            time.sleep(wait)
            attempt, pause = attempt + 1, pause * 2

    def _exchange(
        self, deadline: Deadline, method: str, target: str, body: bytes | None, headers: Mapping[str, str]
    ) -> Response:
        """One exchange on a connection of its own. `_Again` if it may be had again."""
        try:
            with closing(Connection(self._endpoint)) as connection:
                return connection.exchange(
                    method, target, body, headers, deadline=deadline, most=_LARGEST_ANSWER
                )
        except Late as error:
            raise ServiceUnavailable(
                str(error),
                where=self.where,
                next_step="Allow it more time with --timeout, or see whether it is overloaded",
            ) from error
        except (TooMuch, NotHttp) as error:
            raise self._not_believed(str(error)) from error
        except Unreachable as error:
            raise _Again(self._unavailable(str(error))) from error
        except NoAnswer as error:
            raise ServiceUnavailable(
                f"it cannot be asked: {error}",
                where=self.where,
                next_step="Name its authority with --ca, and, if it wants one, a certificate that it knows",
            ) from error

    def _document(self, response: Response, *, ok: Container[int]) -> Reply:
        """The JSON object that was sent; what is no answer becomes an error."""
        body = self._content(response, kind="application/json", ok=ok)
        try:
            document = strict_json.parse(body)
        except strict_json.NotStrict as error:
            raise self._not_believed(f"the answer is not JSON: {error}") from error
        if not isinstance(document, dict):
            raise self._not_believed(f"this is no answer of Mandate's: {quoted(body)}")
        return Reply(response.status, document)

    def _content(self, response: Response, *, kind: str, ok: Container[int]) -> bytes:
        """The body, if it is of this media type."""
        status, body = response.status, response.body
        if response.media_type == "application/problem+json" and status >= _REFUSED:
            raise self._problem(response)
        if status in _UNAUTHORIZED:
            raise BadRequest(
                f"what stands before it refuses to be asked: status {status}, {quoted(body)}",
                where=self.where,
                next_step="Give a token that counts there, with --token-file or MANDATE_TOKEN",
            )
        if not response.is_of(kind):
            error = self._not_believed(f"this is no answer of Mandate's: status {status}, {response.shown}")
            raise _Again(error, _seconds(response)) if status in _TRY_AGAIN else error
        if status not in ok:
            raise self._not_believed(f"this is no answer of Mandate's: status {status}, {quoted(body)}")
        return body

    def _problem(self, response: Response) -> CouldNotDecide | BadRequest | _Again:
        """What problem details (RFC 9457) say, as an error."""
        status, body = response.status, response.body
        try:
            problem = strict_json.parse(body)
        except strict_json.NotStrict:
            problem = None
        if not isinstance(problem, dict):
            return self._not_believed(f"these are no problem details: status {status}, {quoted(body)}")
        what, next_step = _said(problem), str(problem.get("next_step", ""))
        if status == _UNKNOWN and self._anonymous:
            next_step = "Give the token that you got, in MANDATE_TOKEN or with --token-file"
        if status in _TRY_AGAIN:
            error = ServiceUnavailable(what, where=self.where, next_step=next_step)
            return _Again(error, _seconds(response))
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


def _seconds(response: Response) -> float | None:
    after = response.headers.get("Retry-After", "")
    return float(after) if after.isascii() and after.isdigit() and len(after) <= _DIGITS else None
