"""Who somebody is to the policies in use."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.responses import JSONResponse

from ..problems import Problem
from .dependencies import Permitted, TheParts, problem_responses

router = APIRouter(prefix="/v1", tags=["records"])

_KEY = Query(
    pattern=r"^SHA256:[A-Za-z0-9+/]{43}$",
    description="The fingerprint of a person's key, as SSH writes it.",
    examples=["SHA256:RT4A7NpPHzAxOvQq2GNTNrRHOSqKJwOPZrYdg8xnXjY"],
)


@router.get("/people", name="person", responses=problem_responses(401, 403, 404, 422, 503))
async def person(caller: Permitted, parts: TheParts, keyid: Annotated[str, _KEY]) -> Response:
    """Whose key this is, and what whoever signs with it must name: the policies in use, and the ledger.

    What is signed under other policies, or for another ledger, is refused when it is handed in.
    """

    def looked_up() -> Response:
        policies = parts.policies()
        if (found := policies.holder(keyid)) is None:
            raise Problem(
                404,
                "Nobody has this key",
                f"the key {keyid} is of nobody that the policies know",
                next_step="Let your entry in people/*.yaml have this key",
            )
        return JSONResponse(
            {
                "keyid": keyid,
                "name": found["name"],
                "roles": [*found["roles"]],
                "policy": {"revision": policies.revision},
                "ledger": {"origin": parts.ledger().origin},
            }
        )

    return await parts.turns.run(looked_up)
