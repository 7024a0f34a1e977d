"""What persons signed: the service checks it and records it, and signs nothing in their name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from .. import bodies
from .dependencies import Permitted, TheParts, problem_responses

router = APIRouter(prefix="/v1", tags=["records"])

_ENVELOPE = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "description": "A DSSE envelope with the in-toto Statement that a person signed",
                    "required": ["payload", "payloadType", "signatures"],
                    "examples": [
                        {
                            "payload": "eyJfdHlwZSI6Imh0dHBzOi8vaW4tdG90by5pby9TdGF0ZW1lbnQvdjEifQ==",
                            "payloadType": "application/vnd.in-toto+json",
                            "signatures": [{"keyid": "SHA256:…", "sig": "MEUCIQ…"}],
                        }
                    ],
                }
            }
        },
    }
}


_ROUTE: Mapping[str, Any] = {
    "status_code": 201,
    "openapi_extra": _ENVELOPE,
    "responses": problem_responses(400, 401, 403, 413, 415, 422, 503),
}


async def _recorded(request: Request, parts: TheParts, kind: str) -> Response:
    bodies.demand_json(request)
    body = await bodies.read(request, limit=parts.settings.limits.body_bytes)
    receipt = await parts.turns.run(lambda: parts.admit(body, kind))
    return JSONResponse(receipt.model_dump(mode="json"), 201)


@router.post("/approvals", name="approve", **_ROUTE)
async def approve(request: Request, caller: Permitted, parts: TheParts) -> Response:
    """Record an approval that a person signed.

    Who hands it in does not matter: the signature says who it is from. What is on record already is
    answered with its place again.
    """
    return await _recorded(request, parts, "approval")


@router.post("/waivers", name="waive", **_ROUTE)
async def waive(request: Request, caller: Permitted, parts: TheParts) -> Response:
    """Record a waiver that a person signed, as `/v1/approvals` does."""
    return await _recorded(request, parts, "waiver")


@router.post("/facts", name="facts", **_ROUTE)
async def facts(request: Request, caller: Permitted, parts: TheParts) -> Response:
    """Record facts that a pipeline collected and signed, as `mandate collect --push` sends them.

    They may serve questions about the same files, action and environment for as long as the policies say,
    where these accept what is only reported.
    """
    return await _recorded(request, parts, "facts")


@router.post("/events", name="event", **_ROUTE)
async def event(request: Request, caller: Permitted, parts: TheParts) -> Response:
    """Record a revocation that a person signed, as `/v1/approvals` does."""
    return await _recorded(request, parts, "revocation")
