"""Whether the service lives, whether it can decide, and what it measured."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

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
    """The service can decide: OPA answers with the expected policies, and the ledger takes entries."""
    if not parts.settings.anonymous_probes:
        await permitted(request)
    try:
        await parts.turns.run(parts.ready)
    except MandateError as error:
        parts.metrics.ready.set(0)
        return of(error).response()
    parts.metrics.ready.set(1)
    return PlainTextResponse("ready\n")


@router.get(
    "/metrics", name="metrics", response_class=PlainTextResponse, responses=problem_responses(401, 403)
)
async def metrics(request: Request, parts: TheParts) -> Response:
    """Measurements in Prometheus' text format."""
    if not parts.settings.anonymous_probes:
        await permitted(request)
    measured = parts.metrics
    measured.turns.set(parts.turns.taken)
    measured.callers_refused.set(parts.authentication.problem is not None)
    return Response(generate_latest(measured.registry), media_type=CONTENT_TYPE_LATEST)
