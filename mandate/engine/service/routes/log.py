"""The log's head, and proofs."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.responses import JSONResponse, PlainTextResponse

from ...evidence import heads, proving
from ...evidence.log import merkle
from ..problems import Problem
from .dependencies import Permitted, TheParts, problem_responses

router = APIRouter(prefix="/v1", tags=["log"])


@router.get(
    "/checkpoint",
    name="checkpoint",
    response_class=PlainTextResponse,
    responses=problem_responses(401, 403, 422, 503),
)
async def checkpoint(caller: Permitted, parts: TheParts) -> Response:
    """The newest head (C2SP tlog-checkpoint): keep it where the ledger's writer cannot change it."""
    head = await parts.turns.run(lambda: heads.newest(parts.ledger(), parts.keys()))
    return PlainTextResponse(head)


_PROOF = "application/vnd.mandate.proof.v1+json"


@router.get(
    "/proofs/{reference}",
    name="proof",
    response_class=Response,
    responses={
        200: {"description": "What `mandate verify` checks offline", "content": {_PROOF: {}}},
        **problem_responses(401, 403, 404, 422, 503),
    },
)
async def proof(reference: str, caller: Permitted, parts: TheParts) -> Response:
    """An entry with its inclusion proof and the signed head, which `mandate verify` checks offline."""
    made = await parts.turns.run(lambda: proving.prove(parts.ledger(), reference, parts.keys()))
    return Response(made, media_type=_PROOF)


@router.get("/consistency", name="consistency", responses=problem_responses(401, 403, 422, 503))
async def consistency(
    caller: Permitted,
    parts: TheParts,
    first: Annotated[int, Query(ge=0)],
    second: Annotated[int, Query(ge=0)],
) -> Response:
    """Hashes (base64) that prove that the tree of `second` entries begins with that of `first`."""
    import base64

    def proven() -> list[str]:
        ledger = parts.ledger()
        if not first <= second <= ledger.count():
            raise Problem(422, "There is no such proof", "first, second and the log's size must ascend")
        hashes = merkle.consistency(first, second, ledger.node)
        return [base64.b64encode(each).decode() for each in hashes]

    return JSONResponse({"first": first, "second": second, "hashes": await parts.turns.run(proven)})
