"""What may be deployed where, now: a small answer for those who ask often."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import JSONResponse

from ...evidence.predicates.base import rfc3339_milliseconds
from .dependencies import Permitted, TheParts, problem_responses

router = APIRouter(prefix="/v1", tags=["subjects"])


@router.get(
    "/subjects/{digest}/status",
    name="status",
    responses=problem_responses(400, 401, 403, 422, 503),
)
async def status(
    digest: Annotated[
        str, Path(pattern=r"^(sha256:)?[0-9a-f]{64}$", description="The artifact's root digest.")
    ],
    environment: Annotated[str, Query(min_length=1, max_length=512)],
    caller: Permitted,
    parts: TheParts,
) -> Response:
    """Whether this digest may be deployed there now, until when, and by which decision.

    `until` is `null` where no end is known. A later decision, a retirement or a revocation ends it sooner.
    """
    sha256 = digest.removeprefix("sha256:")

    def looked_up() -> Response:
        door = parts.door
        found = door.standing(door.environment(environment), sha256)
        return JSONResponse(
            {
                "digest": f"sha256:{sha256}",
                "environment": environment,
                "allowed": found.allowed,
                "until": None if found.until is None else rfc3339_milliseconds(found.until),
                "decision": None if found.record is None else found.record.receipt.id,
                "reason": found.reason,
            }
        )

    return await parts.turns.run(looked_up)
