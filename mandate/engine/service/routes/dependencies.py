"""What routes have in common: the parts, the caller, and what OpenAPI says of problems."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Request

from ..access.roles import Caller
from ..parts import Parts
from ..problems import MEDIA_TYPE, Fault, Problem, pointer


async def parts(request: Request) -> Parts:
    """The application's parts."""
    found: Parts = request.app.state.parts
    return found


async def permitted(request: Request) -> Caller:
    """Who calls, if they may use this route; `Problem` 401 or 403 if not."""
    found: Parts = request.app.state.parts
    return await found.authentication.permitted(request, request.scope["route"].name)


async def understood(request: Request) -> Caller:
    """The same, if the route knows what stands behind the `?`; `Problem` 422 if not.

    A parameter that is passed over could have been `dry_run`, misspelt.
    """
    caller = await permitted(request)
    if not request.scope["query_string"]:
        return caller
    known = {field.alias for field in request.scope["route"].dependant.query_params}
    seen: set[str] = set()
    faults = []
    for name, _ in request.query_params.multi_items():
        if name in seen or name not in known:
            fault = "stands twice" if name in seen else f"is none of {', '.join(sorted(known)) or 'none'}"
            faults.append(Fault(pointer("query", name[:100]), fault))
        seen.add(name)
    if faults:
        raise Problem(422, "The request does not fit", faults=faults[:20], next_step="See /openapi.json")
    return caller


Permitted = Annotated[Caller, Depends(understood)]
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


def decided(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """As `problem_responses`, where the answer may be a decision as well: undecided, or denied."""
    answer = {"type": "object", "required": ["outcome", "reasons"]}
    responses = problem_responses(*statuses)
    for response in responses.values():
        response["content"]["application/json"] = {"schema": answer}
    return responses


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problems that a route can answer, for OpenAPI."""
    titles = {
        400: "The body is not JSON, or the request makes no sense",
        401: "Nobody knows the caller",
        403: "The caller may not",
        404: "There is no such thing",
        406: "It has no such form",
        413: "The body is too long",
        415: "The body is not JSON",
        422: "A field is wrong",
        503: "Nobody can say now",
    }
    return {
        status: {"description": titles[status], "content": {MEDIA_TYPE: {"schema": _PROBLEM}}}
        for status in statuses
    }
