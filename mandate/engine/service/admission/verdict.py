"""What the API server is told: a well-formed review, whose message a person reads in a terminal."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from ...decision import Outcome
from ...gate import Answer
from ...report.visible import visible
from .review import API_VERSION

_LONGEST = 4000
"""Of a message, in characters."""
_LONGEST_REASON = 700
_LONGEST_WARNING = 120
_WARNINGS = 16
_CAUSES = 100
_LONGEST_ANNOTATION = 500
_UNDECIDED_NEXT = "Try again; if it stays so, ask whoever runs Mandate"


class Kind(StrEnum):
    """What becomes of the object. Only what is allowed is stored."""

    ALLOWED = "allow"
    DENIED = "deny"
    BAD_REQUEST = "bad-request"
    UNDECIDED = "undecided"


_STATUS = {
    # Never 422, of which kubectl drops the message, and never 429, which the API server tries again.
    Kind.DENIED: (403, "Forbidden", "Denied by Mandate"),
    Kind.BAD_REQUEST: (400, "BadRequest", "Refused by Mandate, which cannot read the request"),
    Kind.UNDECIDED: (500, "InternalError", "Undecided by Mandate, so not allowed"),
}


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that is wrong."""

    text: str
    """A sentence or clause; it may quote anything."""
    rule: str = "mandate.admission"
    """The rule that says so."""
    place: str = ""
    """The path in the object, if there is one."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to one review."""

    kind: Kind
    reasons: tuple[Reason, ...] = ()
    next_step: str = ""
    decision: str = ""
    """The id of the decision on record, if there is one."""
    warnings: tuple[str, ...] = ()
    audit: Mapping[str, str] = field(default_factory=dict)
    """Annotations of the API server's audit log beside the outcome."""

    def response(self, uid: str) -> bytes:
        """The review as JSON, in ASCII: whatever is quoted, it can be sent."""
        said: dict[str, Any] = {"uid": uid, "allowed": self.kind is Kind.ALLOWED}
        if self.kind is not Kind.ALLOWED:
            code, reason, _ = _STATUS[self.kind]
            said["status"] = {
                "status": "Failure",
                "code": code,
                "reason": reason,
                "message": self.message,
                "details": {"causes": [_cause(each) for each in self.reasons[:_CAUSES]]},
            }
        if self.warnings:
            said["warnings"] = list(_warnings(self.warnings))
        audit = {"outcome": self.kind.value, **self.audit}
        if self.decision:
            audit["decision-id"] = self.decision
        said["auditAnnotations"] = {
            name: visible(value, _LONGEST_ANNOTATION) for name, value in sorted(audit.items())
        }
        return json.dumps({"apiVersion": API_VERSION, "kind": "AdmissionReview", "response": said}).encode()

    @property
    def message(self) -> str:
        """Outcome, decision and count; a numbered line for each reason; what to do next."""
        count = f"{len(self.reasons)} reason{'' if len(self.reasons) == 1 else 's'}"
        about = f"decision {self.decision}" if self.decision else "no decision on record"
        first = f"{_STATUS[self.kind][2]}: {about}, {count}"
        last = f"Next step: {visible(self.next_step, _LONGEST_REASON)}" if self.next_step else ""
        lines = [
            f"{number}. {visible(reason.text, _LONGEST_REASON)}"
            for number, reason in enumerate(self.reasons, 1)
        ]
        kept = len(lines)
        while len(text := _joined(first, lines, kept, last)) > _LONGEST:
            kept -= 1
        return text


def _joined(first: str, lines: Sequence[str], kept: int, last: str) -> str:
    """The message with so many of the lines."""
    more = [f"…and {len(lines) - kept} more"] if kept < len(lines) else []
    return "\n".join(part for part in (first, *lines[:kept], *more, last) if part)


def of(answer: Answer, more: Sequence[Reason] = ()) -> Verdict:
    """The verdict that a decision is; with `more` against it, it is a denial whatever was decided."""
    decision, receipt = answer.decision, answer.receipt
    audit = {"policy-revision": answer.judgement.policy.revision}
    if receipt is not None:
        audit["log-index"] = str(receipt.index)
    reasons = [Reason(text) for text in decision.reasons]
    reasons += [
        Reason(_sentence(finding.message, finding.solution), finding.rule, finding.term)
        for finding in decision.violations
    ]
    kind = {Outcome.ALLOW: Kind.ALLOWED, Outcome.DENY: Kind.DENIED}.get(decision.outcome, Kind.UNDECIDED)
    if more and kind is Kind.ALLOWED:
        kind = Kind.DENIED
    id_ = receipt.id if receipt is not None else ""
    return Verdict(
        kind,
        (*reasons, *more),
        _next(kind, id_),
        id_,
        tuple(_said(answer)) if kind is Kind.ALLOWED else (),
        audit,
    )


def allowed(*warnings: str, decision: str = "", **audit: str) -> Verdict:
    """Let it in."""
    return Verdict(Kind.ALLOWED, decision=decision, warnings=warnings, audit=audit)


def denied(*reasons: Reason, next_step: str, decision: str = "") -> Verdict:
    """Keep it out, for these reasons."""
    return Verdict(Kind.DENIED, reasons, next_step, decision)


def undecided(reason: str, next_step: str = _UNDECIDED_NEXT) -> Verdict:
    """Keep it out, because nobody can say."""
    return Verdict(Kind.UNDECIDED, (Reason(reason),), next_step)


def bad_request(reason: str, next_step: str) -> Verdict:
    """Keep it out, because it makes no sense."""
    return Verdict(Kind.BAD_REQUEST, (Reason(reason),), next_step)


def _said(answer: Answer) -> Sequence[str]:
    """What somebody should know although it is allowed."""
    warned = [f"{finding.rule}: {finding.message or finding.term}" for finding in answer.decision.warnings]
    return [*warned, *(waiver.warning for waiver in answer.decision.waivers if waiver.warning)]


def _next(kind: Kind, decision: str) -> str:
    if kind is Kind.UNDECIDED:
        return _UNDECIDED_NEXT
    return f"mandate explain {decision}" if decision else "Change what the reasons name, then try again"


def _sentence(message: str | None, solution: str | None) -> str:
    return " ".join(part for part in (message, solution) if part) or "This rule is not met."


def _cause(reason: Reason) -> dict[str, str]:
    cause = {"reason": visible(reason.rule, 200), "message": visible(reason.text, _LONGEST_REASON)}
    return cause | ({"field": visible(reason.place, 300)} if reason.place else {})


def _warnings(warnings: Sequence[str]) -> Sequence[str]:
    """Each on one line, or it would vanish: kubectl drops a warning with a newline in it."""
    shown = [visible(text, _LONGEST_WARNING) for text in warnings]
    if len(shown) <= _WARNINGS:
        return shown
    return [*shown[: _WARNINGS - 1], f"…and {len(shown) - _WARNINGS + 1} more"]
