"""Errors as problem details (RFC 9457): what was wrong, where, and what to do next."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match, Route

from ..errors import BadInput, BadRequest, CouldNotDecide, MandateError, UnknownSubject
from ..report.visible import visible

MEDIA_TYPE = "application/problem+json"
_log = logging.getLogger(__name__)
_LONGEST = 2000
_NO_METHOD = 405


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is wrong with a body."""

    pointer: str
    """Where: a JSON Pointer (RFC 6901)."""
    detail: str


class Problem(Exception):
    """An answer that is no decision. `title` is the same for all problems of its kind."""

    def __init__(
        self,
        status: int,
        title: str,
        detail: str = "",
        *,
        next_step: str = "",
        faults: Sequence[Fault] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(title)
        self.status = status
        self.title = title
        self.detail = detail
        self.next_step = next_step
        self.faults = tuple(faults)
        self.headers = dict(headers or {})

    def response(self) -> JSONResponse:
        """The problem as it is sent."""
        body: dict[str, Any] = {"type": "about:blank", "title": self.title, "status": self.status}
        if self.detail:
            body["detail"] = visible(self.detail, _LONGEST)
        if self.next_step:
            body["next_step"] = self.next_step
        if self.faults:
            body["errors"] = [
                {"pointer": visible(fault.pointer, _LONGEST), "detail": visible(fault.detail, _LONGEST)}
                for fault in self.faults
            ]
        return JSONResponse(body, self.status, self.headers, MEDIA_TYPE)


def of(error: MandateError, places: Mapping[str, str] = MappingProxyType({})) -> Problem:
    """The problem that an error of Mandate's is: 404, 422, 400 or 503.

    `places`: see `Parts.places`.
    """
    where = error.where
    for place, name in places.items():
        where = where.replace(place, name)
    located = f"{where}: {error.what}" if where else error.what
    if isinstance(error, UnknownSubject):
        return Problem(404, "There is no such thing", located, next_step=error.next_step)
    if isinstance(error, BadInput):
        return Problem(422, "The content cannot be judged", located, next_step=error.next_step)
    if isinstance(error, BadRequest):
        return Problem(400, "The request cannot be answered as it is", located, next_step=error.next_step)
    return Problem(
        503,
        "Nobody can say now",
        located,
        next_step=error.next_step,
        headers={"Retry-After": "5"} if isinstance(error, CouldNotDecide) else {},
    )


def handle(app: FastAPI, routes: Iterable[Route]) -> None:
    """Let every error of the application, which has these routes, leave as a problem."""
    routes = tuple(routes)

    async def known(request: Request, error: Exception) -> JSONResponse:
        if isinstance(error, MandateError):
            return of(error, request.app.state.parts.places()).response()
        if isinstance(error, HTTPException) and error.status_code == _NO_METHOD:
            error.headers = {"Allow": _allowed(request, routes)}
        return _known(error).response()

    async def unexpected(request: Request, error: Exception) -> JSONResponse:
        _log.error(
            "an internal error",
            exc_info=error,
            extra={"method": request.method, "path": visible(request.url.path)},
        )
        return Problem(500, "An internal error", next_step="See the log, and report it").response()

    for kind in (Problem, MandateError, HTTPException, RequestValidationError):
        app.add_exception_handler(kind, known)
    app.add_exception_handler(Exception, unexpected)


def _allowed(request: Request, routes: Iterable[Route]) -> str:
    """The methods of all routes with this path. Whoever routes names those of the first one only."""
    found = (route for route in routes if route.matches(request.scope)[0] is not Match.NONE)
    return ", ".join(sorted({method for route in found for method in route.methods or ()}))


def _known(error: Exception) -> Problem:
    if isinstance(error, Problem):
        return error
    if isinstance(error, RequestValidationError):
        faults = [Fault(pointer(*each["loc"]), str(each["msg"])) for each in error.errors()]
        return Problem(422, "The request does not fit", faults=faults, next_step="See /openapi.json")
    if isinstance(error, HTTPException):
        detail, headers = str(error.detail), error.headers
        return Problem(error.status_code, detail, next_step="See /openapi.json", headers=headers)
    return Problem(500, "An internal error")


def pointer(*path: int | str) -> str:
    """The JSON Pointer to a place."""
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in path)
