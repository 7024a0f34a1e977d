"""Decisions: asked for, one or many; read again, one or a page."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

import anyio
from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import ConfigDict, Field

from ...action import Action
from ...errors import MandateError
from ...evidence import proving, spelling
from ...evidence import query as searching
from ...gate import Answer
from ...input.base import Frozen
from ...report import entries as listing
from .. import answers, bodies
from ..accept import best
from ..access.roles import Caller
from ..asking import Question
from ..forms import FORMS
from ..parts import Parts
from ..problems import Problem, of
from .dependencies import Permitted, TheParts, decided, problem_responses

router = APIRouter(prefix="/v1", tags=["decisions"])

_QUESTION = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": Question.model_json_schema()}},
    }
}
_KEY = Header(
    alias="Idempotency-Key",
    min_length=1,
    max_length=200,
    description="The same key gives the same decision again.",
)
_WHAT_IF = Query(description="Decide as if it were asked, and record that nothing is allowed by it.")
_PROOF = Query(description="Answer with the proof, too: a file that `mandate verify` checks offline.")
_STRICT = Query(description="`strict`: a denial is 403, for callers that read only the status.")


class Batch(Frozen):
    """Many questions at once."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"questions": [{"subject": "models:/credit/3"}]}]}
    )

    questions: Annotated[list[dict[str, Any]], Field(min_length=1)]


@router.post(
    "/decisions",
    name="decide",
    openapi_extra=_QUESTION,
    responses={**problem_responses(400, 401, 404, 413, 415, 422), **decided(403, 503)},
)
async def decide(
    request: Request,
    caller: Permitted,
    parts: TheParts,
    key: Annotated[str | None, _KEY] = None,
    dry_run: Annotated[bool, _WHAT_IF] = False,
    status: Annotated[Literal["strict"] | None, _STRICT] = None,
    proof: Annotated[bool, _PROOF] = False,
) -> Response:
    """Ask whether a model may pass, and record the answer."""
    bodies.demand_json(request)
    if len(request.headers.getlist("idempotency-key")) > 1:
        # What stands before the service may know the request by the other one.
        raise Problem(400, "There is more than one Idempotency-Key", next_step="Send one")
    body = await bodies.read(request, limit=parts.settings.limits.body_bytes)
    question = bodies.fit(bodies.parse(body), Question)
    answer = await parts.turns.run(
        lambda: _decided(parts, question, caller, key, what_if=dry_run), more=_collecting(parts, question)
    )
    said = answers.body(answer, parts.documentation)
    if proof and (receipt := answer.receipt) is not None:
        proven = await parts.turns.run(lambda: proving.prove(parts.ledger(), receipt.id, parts.keys()))
        said["proof"] = json.loads(proven)
    return JSONResponse(said, answers.status(answer, strict=status == "strict"))


@router.post(
    "/decisions:batch",
    name="decide_batch",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": Batch.model_json_schema()}},
        }
    },
    responses=problem_responses(400, 401, 403, 413, 415, 422, 503),
)
async def decide_batch(
    request: Request,
    caller: Permitted,
    parts: TheParts,
    dry_run: Annotated[bool, _WHAT_IF] = False,
) -> Response:
    """Ask many questions. Each is answered for itself, in the order in which they were asked."""
    bodies.demand_json(request)
    limits = parts.settings.limits
    body = await bodies.read(request, limit=limits.body_bytes * 4)
    batch = bodies.fit(bodies.parse(body), Batch)
    if len(batch.questions) > limits.batch:
        raise Problem(
            422,
            "The batch is too long",
            f"it has {len(batch.questions)} questions, and {limits.batch} are answered at once",
        )
    results: list[dict[str, Any]] = [{}] * len(batch.questions)

    async def one(index: int, asked: dict[str, Any]) -> None:
        try:
            question = bodies.fit(asked, Question)
            answer = await parts.turns.run(
                lambda: _decided(parts, question, caller, None, what_if=dry_run),
                more=_collecting(parts, question),
            )
        except Problem as problem:
            results[index] = json.loads(bytes(problem.response().body))
        except MandateError as error:
            results[index] = json.loads(bytes(of(error, parts.places()).response().body))
        else:
            results[index] = answers.body(answer, parts.documentation)

    # Not all at once: a batch must not take the turns of everybody else.
    width = anyio.Semaphore(max(1, limits.at_once // 2))

    async def in_turn(index: int, asked: dict[str, Any]) -> None:
        async with width:
            await one(index, asked)

    async with anyio.create_task_group() as group:
        for index, asked in enumerate(batch.questions):
            group.start_soon(in_turn, index, asked)
    return JSONResponse({"answers": results})


def _collecting(parts: Parts, question: Question) -> float:
    """Seconds that collecting may take beside the deadline: once for the facts, once to confirm them."""
    return 0.0 if question.subject is None else 2 * parts.settings.collect.seconds


def _decided(parts: Parts, question: Question, caller: Caller, key: str | None, *, what_if: bool) -> Answer:
    facts = parts.facts(question, caller.name, what_if)
    request = question.key(key, caller, what_if=what_if)
    return parts.gate().decide(facts, request=request, what_if=what_if)


@router.get(
    "/decisions/{reference}",
    name="decision",
    responses={
        200: {"description": "The decision", "content": {kind: {} for kind in FORMS}},
        **problem_responses(400, 401, 403, 404, 406, 422, 503),
    },
    response_class=Response,
)
async def decision(
    reference: str,
    caller: Permitted,
    parts: TheParts,
    accept: Annotated[str | None, Header(description="One of the media types below.")] = None,
) -> Response:
    """A recorded decision, by its id: the answer, a report of it, or what proves it, as `Accept` asks.

    `application/json`: the answer. `application/vnd.dsse.envelope.v1+json`: what was signed.
    `application/vnd.dev.sigstore.bundle.v0.3+json`: the same as Cosign verifies it.
    `application/vnd.mandate.proof.v1+json`: the same with its proof and the signed head.
    `application/sarif+json`, `application/junit+xml`, `text/markdown`, `text/plain`: reports.
    """
    kind, form = best(accept, FORMS)
    content = await parts.turns.run(lambda: form(parts, reference))
    return Response(content, media_type=kind, headers={"Vary": "Accept"})


_Text = Annotated[str | None, Query(min_length=1, max_length=512)]
_Digest = Annotated[
    str | None, Query(pattern=r"^(sha256:)?[0-9a-f]{64}$", description="The artifact's root digest.")
]


@router.get("/decisions", name="decisions", responses=problem_responses(400, 401, 403, 422, 503))
async def decisions(
    caller: Permitted,
    parts: TheParts,
    model: _Text = None,
    version: _Text = None,
    digest: _Digest = None,
    outcome: Literal["allow", "deny", "undecided"] | None = None,
    action: Action | None = None,
    environment: _Text = None,
    revision: _Text = None,
    rule: _Text = None,
    control: _Text = None,
    person: _Text = None,
    kind: Annotated[str, Query(description="`what-if`, `approval`, …; `any` for all of them.")] = "decision",
    since: Annotated[str | None, Query(description="From this day or instant on (UTC).")] = None,
    until: Annotated[
        str | None, Query(description="Before this instant; until the end of this day (UTC).")
    ] = None,
    before: Annotated[int | None, Query(ge=0, description="The next page, as the last one said.")] = None,
    limit: Annotated[int, Query(ge=1, le=searching.MOST)] = 50,
) -> Response:
    """Entries of the ledger, the newest first, by what they are about.

    A page is said by the index before which it begins: what is recorded meanwhile moves none.
    """
    asked = searching.Query(
        kind=None if kind == "any" else spelling.kind(kind, where="kind"),
        model=model,
        version=version,
        sha256=None if digest is None else digest.removeprefix("sha256:"),
        outcome=outcome,
        action=None if action is None else action.value,
        environment=environment,
        revision=revision,
        rule=rule,
        control=control,
        person=person,
        since=None if since is None else spelling.instant(since, where="since"),
        until=None if until is None else spelling.instant(until, where="until", end=True),
    )

    def page() -> Response:
        found = parts.ledger().search(asked, before=before, most=limit)
        rows = [listing.row(stored) for stored in found.entries]
        return JSONResponse({"entries": rows, "before": found.before})

    return await parts.turns.run(page)
