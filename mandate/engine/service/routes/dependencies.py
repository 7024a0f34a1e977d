"""What routes have in common: the parts, the caller, and what OpenAPI says of problems."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Request

from ..access.roles import Caller
from ..parts import Parts
from ..problems import MEDIA_TYPE


async def parts(request: Request) -> Parts:
    """The application's parts."""
    found: Parts = request.app.state.parts
    return found


async def permitted(request: Request) -> Caller:
    """Who calls, if they may use this route; `Problem` 401 or 403 if not."""
    found: Parts = request.app.state.parts
    return await found.authentication.permitted(request, request.scope["route"].name)


Permitted = Annotated[Caller, Depends(permitted)]
TheParts = Annotated[Parts, Depends(parts)]

_PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "Problem details, RFC 9457",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "next_step": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"pointer": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
    },
}


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problems that a route can answer, for OpenAPI."""
    titles = {
        400: "The body is not JSON, or the request makes no sense",
        401: "Nobody knows the caller",
        403: "The caller may not",
        404: "There is no such thing",
        413: "The body is too long",
        415: "The body is not JSON",
        422: "A field is wrong",
        503: "Nobody can say now",
    }
    return {
        status: {"description": titles[status], "content": {MEDIA_TYPE: {"schema": _PROBLEM}}}
        for status in statuses
    }
