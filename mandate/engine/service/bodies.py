"""Reads a request's body: bounded, strictly, and with the name of the field that is wrong."""

from __future__ import annotations

from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect

from .. import strict_json
from .problems import Fault, Problem, pointer

_DEPTH = 64
_FAULTS = 20

Model = TypeVar("Model", bound=BaseModel)


async def read(request: Request, *, limit: int) -> bytes:
    """The body. `Problem` 413 as soon as it is longer than `limit` bytes: no more is taken; 400 if the client
    went away before its end."""
    too_long = Problem(
        413, "The body is too long", f"it has more than {limit} bytes", headers={"Connection": "close"}
    )
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > limit:
        raise too_long
    parts, length = [], 0
    try:
        async for part in request.stream():
            length += len(part)
            if length > limit:
                raise too_long
            parts.append(part)
    except ClientDisconnect as error:
        raise Problem(400, "The body ended too soon", headers={"Connection": "close"}) from error
    return b"".join(parts)


def demand_json(request: Request) -> None:
    """`Problem` 415 unless the body is announced as plain JSON."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    coding = request.headers.get("content-encoding", "identity")
    if kind != "application/json" or coding != "identity":
        raise Problem(
            415,
            "The body is not JSON",
            f"its type is {kind or 'not said'}, its encoding {coding}",
            next_step="Send Content-Type: application/json, not compressed",
        )


def parse(body: bytes) -> Any:
    """The JSON in the body. `Problem` 400 for what two readers could understand differently."""
    try:
        # A number that is not finite is named by the model, or by the policies' denial.
        document = strict_json.parse(body, finite=False)
    except strict_json.NotStrict as error:
        raise Problem(400, "The body is not JSON", str(error)) from error
    if strict_json.deeper_than(document, _DEPTH):
        raise Problem(400, "The body is nested too deeply", f"more than {_DEPTH} levels")
    return document


def fit(document: Any, model: type[Model]) -> Model:
    """The document as a value. `Problem` 422 with what is wrong, field by field."""
    try:
        return model.model_validate(document)
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=False, include_input=False)
        raise Problem(
            422,
            "The content does not fit",
            f"{len(details)} faults" if len(details) > 1 else "one fault",
            faults=[
                Fault(pointer(*each["loc"]), each["msg"].removeprefix("Value error, "))
                for each in details[:_FAULTS]
            ],
            next_step="See /openapi.json",
        ) from error
