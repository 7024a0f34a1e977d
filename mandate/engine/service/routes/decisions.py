"""Decisions: asked for, one or many; read again, one or a page."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

import anyio
from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import Field

from ...decision import FindingOutcome
from ...errors import MandateError
from ...evidence import bundle, proving, reading
from ...evidence import query as searching
from ...gate import Answer
from ...input.base import Frozen
from ...report import entries as listing
from .. import answers, bodies
from ..access.roles import Caller
from ..asking import Question
from ..parts import Parts
from ..problems import Problem, of
from .dependencies import Permitted, TheParts, problem_responses

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

    questions: Annotated[list[dict[str, Any]], Field(min_length=1)]


@router.post(
    "/decisions",
    name="decide",
    openapi_extra=_QUESTION,
    responses=problem_responses(400, 401, 403, 404, 413, 415, 422, 503),
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
    body = await bodies.read(request, limit=parts.settings.limits.body_bytes)
    question = bodies.fit(bodies.parse(body), Question)
    answer = await parts.turns.run(lambda: _decided(parts, question, caller, key, what_if=dry_run))
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
            answer = await parts.turns.run(lambda: _decided(parts, question, caller, None, what_if=dry_run))
        except Problem as problem:
            results[index] = json.loads(bytes(problem.response().body))
        except MandateError as error:
            results[index] = json.loads(bytes(of(error).response().body))
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


def _decided(parts: Parts, question: Question, caller: Caller, key: str | None, *, what_if: bool) -> Answer:
    facts = parts.facts(question, caller.name)
    request = question.key(key, caller, what_if=what_if)
    answer = parts.gate().decide(facts, request=request, what_if=what_if)
    metrics, asked = parts.metrics, answer.document.request
    metrics.outcomes.labels(answer.outcome, asked.action, asked.environment, str(answer.what_if)).inc()
    for finding in answer.decision.findings:
        if finding.outcome is not FindingOutcome.PASSED:
            metrics.findings.labels(finding.rule, finding.outcome).inc()
    return answer


@router.get(
    "/decisions/{reference}",
    name="decision",
    responses=problem_responses(401, 403, 404, 503),
)
async def decision(reference: str, request: Request, caller: Permitted, parts: TheParts) -> Response:
    """A recorded decision, by its id: the answer, or what proves it, as `Accept` asks.

    `application/json`: the answer; `application/vnd.dev.sigstore.bundle.v0.3+json`: the envelope, which
    Cosign verifies; `application/vnd.mandate.proof.v1+json`: the same with its proof and the signed head.
    """
    wanted = request.headers.get("accept", "*/*")

    def found() -> Response:
        ledger, keys = parts.ledger(), parts.keys()
        if "proof" in wanted:
            return Response(
                proving.prove(ledger, reference, keys), media_type="application/vnd.mandate.proof.v1+json"
            )
        record = reading.find(ledger, reference, keys)
        if "sigstore" in wanted:
            return Response(bundle.export(record.envelope), media_type=bundle.MEDIA_TYPE)
        answer = Answer(record.document, record.judgement, record.receipt, record.what_if)
        return JSONResponse(answers.body(answer, parts.documentation))

    return await parts.turns.run(found)


@router.get("/decisions", name="decisions", responses=problem_responses(400, 401, 403, 503))
async def decisions(
    caller: Permitted,
    parts: TheParts,
    model: str | None = None,
    version: str | None = None,
    sha256: str | None = None,
    outcome: Literal["allow", "deny", "undecided"] | None = None,
    action: str | None = None,
    environment: str | None = None,
    revision: str | None = None,
    rule: str | None = None,
    control: str | None = None,
    person: str | None = None,
    kind: str | None = None,
    before: Annotated[int | None, Query(ge=0, description="The next page, as the last one said.")] = None,
    limit: Annotated[int, Query(ge=1, le=searching.MOST)] = 50,
) -> Response:
    """Entries of the ledger, the newest first, by what they are about."""
    asked = searching.Query(
        kind=kind,
        model=model,
        version=version,
        sha256=sha256,
        outcome=outcome,
        action=action,
        environment=environment,
        revision=revision,
        rule=rule,
        control=control,
        person=person,
    )

    def page() -> Response:
        found = parts.ledger().search(asked, before=before, most=limit)
        rows = [listing.row(stored) for stored in found.entries]
        return JSONResponse({"entries": rows, "before": found.before})

    return await parts.turns.run(page)
