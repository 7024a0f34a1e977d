"""What is stated of a decision, and of what would have been decided."""

# ruff: noqa: N815  (the documents' own spelling)
from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Final

from ...decision import Decision, FindingOutcome, Outcome
from ...digests import document_sha256
from ...input.base import Frozen, Name, Sha256
from ...input.document import Input
from ..columns import Columns, Kind, Mention, mentions
from .base import AUTHORITY, Digest, Predicate, StatementSubject, members

DECISION_TYPE: Final = AUTHORITY + "decision/v1"
WHAT_IF_TYPE: Final = AUTHORITY + "what-if/v1"


class PolicyUsed(Frozen):
    """Which policies judged."""

    revision: str
    bundleSha256: Sha256


class OpaUsed(Frozen):
    """Which OPA answered."""

    version: str | None
    """`None` if none did."""


class RequestKey(Frozen):
    """By what the caller knows its request, so that asking again does not decide again."""

    key: Name
    sha256: Sha256
    """Over the canonical JSON of what was asked: another question under the same key is refused."""


class DecisionPredicate(Predicate):
    """A decision, what it rests on, and who made it."""

    TYPE: ClassVar[str] = DECISION_TYPE

    outcome: Outcome
    decision: Decision
    decisionSha256: Sha256
    """Over the canonical JSON of `decision`."""
    input: Input
    inputSha256: Sha256
    """Over the canonical JSON of `input`."""
    policy: PolicyUsed
    opa: OpaUsed
    request: RequestKey | None = None

    def subjects(self) -> tuple[StatementSubject, ...]:
        """The model version; `<uri>#input` where only the input document could be digested."""
        uri, sha256 = self.input.subject.uri, self.input.subject.sha256
        if sha256 is None:
            return (StatementSubject(name=f"{uri}#input", digest=Digest(sha256=self.inputSha256)),)
        return (StatementSubject(name=uri, digest=Digest(sha256=sha256)),)

    def columns(self) -> Columns:
        """By subject, question, outcome, and what did not pass."""
        subject, request = self.input.subject, self.input.request
        return Columns(
            subject=subject.uri,
            model=subject.name,
            version=subject.version,
            sha256=subject.sha256,
            outcome=self.outcome.value,
            action=request.action.value,
            environment=request.environment,
            revision=self.policy.revision,
            request_key=None if self.request is None else self.request.key,
            mentions=self._mentions(),
        )

    def _mentions(self) -> tuple[Mention, ...]:
        named = [(Kind.PERSON, self.input.request.requested_by)]
        for finding in self.decision.findings:
            if finding.outcome is not FindingOutcome.PASSED:
                named.append((Kind.RULE, finding.rule))
                named += [(Kind.CONTROL, control) for control in finding.controls]
        named += [(Kind.PERSON, developer.name) for developer in self.input.developers or ()]
        named += [(Kind.PERSON, approval.approver) for approval in self.input.approvals or ()]
        named += [(Kind.PERSON, waiver.approver or "") for waiver in self.decision.waivers]
        return mentions(*named)

    def members(self) -> dict[str, bytes]:
        """Its members by name, as canonical JSON: those that were digested are not written once more."""
        written = {"decision": self.decision.canonical, "input": self.input.canonical}
        return members(self, *written) | written

    def contradictions(self, signed: Mapping[str, Any]) -> Iterator[str]:
        """Digests are taken over the JSON as signed, not over the values read from it: a later version's
        values may have more fields."""
        if document_sha256(signed["input"]) != self.inputSha256:
            yield "the input does not have the digest that is stated"
        if document_sha256(signed["decision"]) != self.decisionSha256:
            yield "the decision does not have the digest that is stated"
        if self.outcome is not self.decision.outcome:
            yield "the outcome is not the decision's"


class WhatIfPredicate(DecisionPredicate):
    """What would be decided if the facts were these: evidence that somebody asked, and no permission.

    It has a type of its own, so that nobody who looks for a decision can take it for one.
    """

    TYPE: ClassVar[str] = WHAT_IF_TYPE
