"""What is stated of a decision: the predicate `https://mandate.dev/attestations/decision/v1`.

Its JSON Schema is published as `schemas/decision.v1.json`. A change of shape is a new version, with a new
type and a new file. Names are spelt as in in-toto; inside `decision` and `input`, as those documents spell.
"""

# ruff: noqa: N815  (the documents' own spelling)
from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Final, Literal

from pydantic import ConfigDict, Field, PlainSerializer

from ..decision import Decision, Outcome
from ..input.base import Frozen, Sha256, UtcTime
from ..input.document import Input

STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
DECISION_TYPE: Final = "https://mandate.dev/attestations/decision/v1"


def rfc3339_milliseconds(time: datetime) -> str:
    """The instant in UTC with three decimals: of one width, so that the text sorts as the time does."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


RecordedAt = Annotated[UtcTime, PlainSerializer(rfc3339_milliseconds, return_type=str, when_used="json")]

UuidV7 = Annotated[
    str, Field(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\z")
]
"""RFC 9562, version 7, in lower case."""


class PolicyUsed(Frozen):
    """Which policies judged."""

    revision: str
    bundleSha256: Sha256


class OpaUsed(Frozen):
    """Which OPA answered."""

    version: str | None
    """`None` if none did."""


class MandateUsed(Frozen):
    """Which Mandate recorded."""

    version: str


class LedgerUsed(Frozen):
    """Where it was recorded: an envelope of one ledger is out of place in another."""

    origin: str


class DecisionPredicate(Frozen):
    """A decision, what it rests on, and who made it."""

    id: UuidV7
    recordedAt: RecordedAt
    outcome: Outcome
    decision: Decision
    decisionSha256: Sha256
    """Over the canonical JSON of `decision`."""
    input: Input
    inputSha256: Sha256
    """Over the canonical JSON of `input`."""
    policy: PolicyUsed
    opa: OpaUsed
    mandate: MandateUsed
    ledger: LedgerUsed


class Digest(Frozen):
    """An in-toto DigestSet with the one algorithm that Mandate uses."""

    sha256: Sha256


class StatementSubject(Frozen):
    """What the statement is about."""

    name: str
    """The model's URI; `<uri>#input` where only the input document could be digested."""
    digest: Digest


class DecisionStatement(Frozen):
    """An in-toto Statement v1 about exactly one subject."""

    model_config = ConfigDict(serialize_by_alias=True)

    type_: Annotated[Literal["https://in-toto.io/Statement/v1"], Field(alias="_type")] = STATEMENT_TYPE
    subject: Annotated[tuple[StatementSubject, ...], Field(min_length=1, max_length=1)]
    predicateType: Literal["https://mandate.dev/attestations/decision/v1"] = DECISION_TYPE
    predicate: DecisionPredicate
