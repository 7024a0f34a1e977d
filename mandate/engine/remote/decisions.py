"""A decision that a service is asked for, and whether its answer can be believed.

An answer is believed only if it fits the question, agrees with itself, and says where it is on record: what
stands between the two, or in the place of the service, must not be able to make an allow of something else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from .. import strict_json
from ..errors import BadInput, BadRequest
from .client import NotBelieved, Reply, Service

_OUTCOMES = {"allow": 200, "deny": 200, "undecided": 503}
"""With the status of each, which the service gives it for all who read no more."""
_BLOCKING = ("violation", "no_verdict")
_FINDINGS = (*_BLOCKING, "passed", "warning", "waived")
_SCHEME = "models:/"


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: about a `subject` in the registry, or about an `input` document; one of the two."""

    action: str
    environment: str
    what_if: bool
    subject: str | None = None
    input: dict[str, Any] | None = None

    @classmethod
    def about(
        cls, document: bytes, where: str, *, action: str | None, environment: str | None, what_if: bool
    ) -> Question:
        """The question about a ready document, as `mandate check --input` asks it: what is asked for by name
        overrides what the document says. `BadInput` if the document is no JSON object."""
        try:
            said = strict_json.parse(document.removeprefix(strict_json.BOM), finite=False)
        except strict_json.NotStrict as error:
            raise BadInput(
                f"the document is not JSON: {error}", where=where, next_step="Correct it"
            ) from error
        if not isinstance(said, dict):
            raise BadInput(
                "the document must be a JSON object", where=where, next_step="See schemas/input.v1.json"
            )
        given = {"action": action, "environment": environment}
        overriding = {name: value for name, value in given.items() if value is not None}
        if isinstance(request := said.get("request"), dict):
            said = said | {"request": request | overriding}
        return cls(action or "promote", environment or "production", what_if, input=said)


def ask(service: Service, question: Question, *, key: str | None, prove: bool) -> dict[str, Any]:
    """The answer, as `mandate check --output json` writes it; with `proof` if it is to be proven.

    Errors are those of `Service.post`.
    """
    asked = {name: getattr(question, name) for name in ("subject", "input")}
    query = {"dry_run": "true"} if question.what_if else {}
    query |= {"proof": "true"} if prove else {}
    reply = service.post(
        f"/v1/decisions?{urlencode(query)}" if query else "/v1/decisions",
        {name: value for name, value in asked.items() if value is not None}
        | {"action": question.action, "environment": question.environment},
        key=key,
    )
    if fault := next(_faults(reply, question), None):
        raise NotBelieved(
            f"its answer is not believed: {fault}",
            where=service.where,
            next_step="Find out what answers there, and do not act on it",
        )
    if prove and reply.body["outcome"] != "undecided" and not isinstance(reply.body.get("proof"), dict):
        raise BadRequest("it gave no proof", where=service.where, next_step="Let it run this version")
    return reply.body


def warns(answer: dict[str, Any]) -> bool:
    """Whether somebody should look, although nothing blocks."""
    waivers = answer.get("waivers", [])
    return "warning" in _outcomes(answer) or any(waiver.get("warning") for waiver in waivers)


def _faults(reply: Reply, question: Question) -> Iterator[str]:
    """Why the answer is not believed. Each reason presumes that there was none before it."""
    answer = reply.body
    outcome = answer.get("outcome")
    if not isinstance(outcome, str) or outcome not in _OUTCOMES:
        yield "it has no outcome"
    if reply.status != _OUTCOMES[str(outcome)]:
        yield f"it says {outcome} with the status {reply.status}"
    if answer.get("what_if") is not question.what_if:
        yield "it does not say rightly whether it is a what-if"
    if not _is_about(answer, question):
        yield "it is about something else"
    if not _are_findings(answer.get("findings", [])):
        yield "its findings are none"
    findings = _outcomes(answer)
    blocked = any(finding in _BLOCKING for finding in findings)
    if outcome == "allow" and (blocked or answer.get("reasons")):
        yield "it allows, and names what stands against that"
    if outcome == "allow" and "passed" not in findings:
        yield "it allows, and nothing passed"
    if outcome != "allow" and not (blocked or answer.get("reasons")):
        yield f"it says {outcome} without a reason"
    if outcome != "undecided" and not _is_on_record(answer):
        yield f"it says {outcome}, and is on no record"


def _are_findings(findings: Any) -> bool:
    return isinstance(findings, list) and all(
        isinstance(finding, dict) and finding.get("outcome") in _FINDINGS for finding in findings
    )


def _outcomes(answer: dict[str, Any]) -> list[Any]:
    return [finding["outcome"] for finding in answer.get("findings", [])]


def _is_about(answer: dict[str, Any], question: Question) -> bool:
    subject, request = answer.get("subject"), answer.get("request")
    if not isinstance(subject, dict) or not isinstance(request, dict):
        return False
    if (request.get("action"), request.get("environment")) != (question.action, question.environment):
        return False
    if answer["outcome"] == "undecided":
        return True  # the subject may be what could not be found out
    if question.subject is None:
        stated = (question.input or {}).get("subject")
        wanted = stated if isinstance(stated, dict) else {}
        return all(subject.get(name) == wanted.get(name) for name in ("name", "version", "uri"))
    if "@" in question.subject:
        name = question.subject.removeprefix(_SCHEME).rpartition("@")[0]
        return subject.get("name") == name
    return subject.get("uri") == question.subject


def _is_on_record(answer: dict[str, Any]) -> bool:
    receipt = answer.get("ledger")
    return (
        isinstance(receipt, dict)
        and isinstance(receipt.get("id"), str)
        and receipt["id"] == answer.get("id")
        and type(receipt.get("index")) is int
        and receipt["index"] >= 0
    )
