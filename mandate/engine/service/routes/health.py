"""Whether the service lives, whether it can decide, and what it measured."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST

from ...errors import MandateError
from ..problems import of
from .dependencies import TheParts, permitted, problem_responses

router = APIRouter(tags=["health"])


@router.get("/healthz", name="liveness", response_class=PlainTextResponse)
async def liveness() -> str:
    """The process lives."""
    return "ok\n"


@router.get(
    "/readyz",
    name="readiness",
    response_class=PlainTextResponse,
    responses=problem_responses(401, 403, 503),
)
async def readiness(request: Request, parts: TheParts) -> Response:
    """The service can decide: OPA answers with the expected policies, and the ledger takes entries.

    Below `ready`, a line says why new policies do not judge, if there are any.
    """
    if not parts.settings.anonymous_probes:
        await permitted(request)
    try:
        await parts.turns.run(parts.readiness.demand)
    except MandateError as error:
        return of(error, parts.places()).response()
    return PlainTextResponse("\n".join(["ready", *parts.notes()]) + "\n")


@router.get(
    "/metrics", name="metrics", response_class=PlainTextResponse, responses=problem_responses(401, 403)
)
async def metrics(request: Request, parts: TheParts) -> Response:
    """Measurements in Prometheus' text format, of all processes of this service."""
    if not parts.settings.anonymous_probes:
        await permitted(request)
    parts.publish()
    return Response(parts.metrics.exposition(), media_type=CONTENT_TYPE_LATEST)
