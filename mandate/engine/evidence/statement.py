"""The in-toto Statement v1 about a decision, and back.

The payload's bytes are canonical JSON (RFC 8785). A payload that is not is refused, so there are no two
ways to write one statement: no key twice, no other number format, no white space.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from ... import __version__
from ..decision import Judgement
from ..digests import canonical, document_sha256
from ..errors import BadInput
from ..input.document import Input
from .predicate import (
    DecisionPredicate,
    DecisionStatement,
    Digest,
    LedgerUsed,
    MandateUsed,
    OpaUsed,
    PolicyUsed,
    StatementSubject,
)

_FIRST_INEXACT = 2.0**53


def state(
    document: Input, judgement: Judgement, *, decision_id: str, recorded_at: datetime, origin: str
) -> DecisionStatement:
    """The statement about `judgement`, made on `document` and recorded in the ledger named `origin`.

    Of `recorded_at`, the milliseconds count: a UUIDv7 has no more.
    """
    input_sha256 = document_sha256(document.model_dump(mode="json"))
    policy = judgement.policy
    return DecisionStatement(
        subject=(_subject(document, input_sha256),),
        predicate=DecisionPredicate(
            id=decision_id,
            recordedAt=recorded_at.replace(microsecond=recorded_at.microsecond // 1000 * 1000),
            outcome=judgement.decision.outcome,
            decision=judgement.decision,
            decisionSha256=document_sha256(judgement.decision.model_dump(mode="json")),
            input=document,
            inputSha256=input_sha256,
            policy=PolicyUsed(revision=policy.revision, bundleSha256=policy.bundle_sha256),
            opa=OpaUsed(version=judgement.opa_version),
            mandate=MandateUsed(version=__version__),
            ledger=LedgerUsed(origin=origin),
        ),
    )


def payload(statement: DecisionStatement) -> bytes:
    """The statement as the bytes that are signed. `ValueError` for what JSON cannot carry exactly.

    What was written is read back and compared. JSON turns NaN into null, a set into a list and a number that
    is a key into text without a word, and then something else would be signed than what was answered.
    """
    data = canonical(statement.model_dump(mode="json"))
    if DecisionStatement.model_validate_json(data) != statement:
        raise ValueError("the statement does not read back as it was")
    return data


def read(data: bytes) -> DecisionStatement:
    """The statement in a payload. `BadInput` if it is not canonical JSON or has another shape."""
    parse(data)
    try:
        return DecisionStatement.model_validate_json(data)
    except ValidationError as error:
        raise BadInput(f"the statement has another shape: {_first(error)}") from error


def parse(data: bytes) -> dict[str, Any]:
    """The payload as JSON, whatever it says. `BadInput` if it is not an object in canonical JSON."""
    try:
        document = json.loads(data, parse_int=_number)
        same = isinstance(document, dict) and canonical(document) == data
    except (ValueError, RecursionError) as error:
        raise BadInput("the statement is not JSON that can be canonical") from error
    if not same:
        raise BadInput("the statement is not an object in canonical JSON")
    return dict(document)


def contradictions(statement: DecisionStatement, document: dict[str, Any]) -> Iterator[str]:
    """Where the statement disagrees with itself; `document` is its JSON as signed.

    Digests are taken over the JSON as signed, not over the values read from it: a later version's values may
    have more fields.
    """
    predicate, signed = statement.predicate, document["predicate"]
    if document_sha256(signed["input"]) != predicate.inputSha256:
        yield "the input does not have the digest that is stated"
    if document_sha256(signed["decision"]) != predicate.decisionSha256:
        yield "the decision does not have the digest that is stated"
    if statement.subject != (_subject(predicate.input, predicate.inputSha256),):
        yield "the statement's subject is not the input's"
    if predicate.outcome is not predicate.decision.outcome:
        yield "the outcome is not the decision's"


def _number(digits: str) -> int | float:
    """A whole number as canonical JSON has it: beyond 2**53 - 1 it can only have been a double."""
    number = float(digits)
    return int(digits) if abs(number) < _FIRST_INEXACT else number


def _subject(document: Input, input_sha256: str) -> StatementSubject:
    uri, sha256 = document.subject.uri, document.subject.sha256
    if sha256 is None:
        return StatementSubject(name=f"{uri}#input", digest=Digest(sha256=input_sha256))
    return StatementSubject(name=uri, digest=Digest(sha256=sha256))


def _first(error: ValidationError) -> str:
    """The first complaint, without the value that it complains of."""
    details = error.errors(include_url=False, include_input=False, include_context=False)[0]
    return f"{ascii('.'.join(map(str, details['loc'])))[:200]}: {details['msg']}"
