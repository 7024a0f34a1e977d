"""Kubernetes' question whether an object may be stored."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request, Response

from ...errors import BadInput, MandateError
from .. import bodies
from ..access.roles import Caller, Role
from ..admission import review, timeout, verdict
from ..admission.verdict import Verdict
from ..parts import Parts
from ..problems import Problem
from .dependencies import TheParts, permitted, problem_responses

_log = logging.getLogger(__name__)
router = APIRouter(prefix="/v1", tags=["admission"])

_REVIEW: dict[str, Any] = {
    "type": "object",
    "description": "AdmissionReview of admission.k8s.io/v1",
    "required": ["apiVersion", "kind"],
    "properties": {
        "apiVersion": {"const": review.API_VERSION},
        "kind": {"const": "AdmissionReview"},
        "request": {"type": "object", "required": ["uid", "kind", "operation", "userInfo"]},
        "response": {"type": "object", "required": ["uid", "allowed"]},
    },
    "examples": [
        {
            "apiVersion": review.API_VERSION,
            "kind": "AdmissionReview",
            "request": {
                "uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
                "kind": {"group": "", "version": "v1", "kind": "Pod"},
                "operation": "CREATE",
                "namespace": "lending",
                "userInfo": {"username": "deployer", "groups": ["system:authenticated"]},
                "object": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "credit"}, "spec": {}},
            },
        }
    ],
}
_CONTENT = {"application/json": {"schema": _REVIEW}}
_NOT_READ = "Send the AdmissionReview that a Kubernetes API server sends"
_SHARE = 0.85
"""Of the time, for what is decided: the rest is for putting on record that it was not."""
_NOBODY = Caller("an API server without a token", frozenset({Role.DECIDER}), "anonymous")


@router.post(
    "/admission/{environment}",
    name="admission",
    openapi_extra={"requestBody": {"required": True, "content": _CONTENT}},
    responses={
        200: {"description": "The review, always", "content": _CONTENT},
        **problem_responses(401, 403, 422),
    },
)
async def admission(environment: str, request: Request, parts: TheParts) -> Response:
    """Answer an `AdmissionReview`. To a known caller this is 200 with a review, whatever happens: the API
    server drops the body of anything else."""
    caller = await _caller(request, parts)
    uid, said = await _reviewed(environment, request, parts, caller)
    parts.metrics.reviews.labels(_known(environment, parts), said.kind).inc()
    return Response(said.response(uid), media_type="application/json")


def _known(environment: str, parts: Parts) -> str:
    """The environment, as a label of metrics: a caller must not make as many series as it likes."""
    try:
        return parts.door.environment(environment)
    except MandateError:
        return "unknown"


async def _caller(request: Request, parts: Parts) -> Caller:
    if parts.settings.admission.anonymous and "authorization" not in request.headers:
        return _NOBODY
    return await permitted(request)


async def _reviewed(environment: str, request: Request, parts: Parts, caller: Caller) -> tuple[str, Verdict]:
    """The uid that the answer must have, and the verdict."""
    body = b""
    try:
        body = await bodies.read(request, limit=parts.settings.limits.body_bytes)
        bodies.demand_json(request)
        asked = review.read(bodies.parse(body))
    except Problem as problem:
        return review.uid(body), verdict.bad_request(problem.detail or problem.title, _NOT_READ)
    except BadInput as error:
        return review.uid(body), verdict.bad_request(error.what, _NOT_READ)
    allowed = timeout.seconds(request.query_params.get("timeout"))
    task = asyncio.create_task(
        judged(parts, lambda: parts.door.judge(environment, asked, caller.name), allowed * _SHARE)
    )
    # A thread cannot be stopped. What it comes to is on record, and is the answer if it is asked again.
    done, _ = await asyncio.wait({task}, timeout=allowed)
    if done:
        return asked.uid, task.result()
    return asked.uid, verdict.undecided(f"there was no answer within {allowed:g} s")


async def judged(parts: Parts, judge: Callable[[], Verdict], seconds: float) -> Verdict:
    """The verdict; undecided for whatever goes wrong."""
    try:
        return await parts.turns.run(judge, seconds=seconds)
    except Problem as problem:
        return verdict.undecided(f"{problem.title}: {problem.detail}")
    except MandateError as error:
        return verdict.undecided(str(error))
    except Exception as error:  # noqa: BLE001  (whatever it is, the API server gets its review)
        _log.exception("an internal error", exc_info=error)
        return verdict.undecided("an internal error", "See the service's log, and report it")
