"""The answer as SARIF 2.1.0, which code hosts show beside a merge request.

The standard: OASIS, Static Analysis Results Interchange Format (SARIF) Version 2.1.0. What did not pass is a
`result`, its rule a `reportingDescriptor`; a waived violation is a result that is suppressed. A decision that
nobody could make is an invocation that failed, so that no reader takes the absence of results for an allow.
"""

from __future__ import annotations

import json
import re
from typing import Any, TextIO

from ... import __version__
from ..decision import Finding, FindingOutcome, Outcome
from ..gate import Answer
from . import Link
from .visible import visible

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LINK = re.compile(r"[\[\]\\]")
_LEVELS = {
    FindingOutcome.VIOLATION: "error",
    FindingOutcome.NO_VERDICT: "error",
    FindingOutcome.WAIVED: "error",
    FindingOutcome.WARNING: "warning",
}
_LONGEST = 4000


def write(answer: Answer, stream: TextIO, *, verbose: bool, link: Link | None = None) -> None:
    """One log with one run, whether `verbose` or not."""
    json.dump(document(answer, link), stream, indent=2)
    stream.write("\n")


def document(answer: Answer, link: Link | None = None) -> dict[str, Any]:
    """The log as JSON values."""
    shown = [finding for finding in answer.decision.findings if finding.outcome in _LEVELS]
    rules = {finding.rule: finding for finding in reversed(shown)}
    index = {rule: number for number, rule in enumerate(sorted(rules))}
    request = answer.document.request
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "mandate",
                        "semanticVersion": __version__,
                        "rules": [_rule(rules[rule], link) for rule in index],
                    }
                },
                "automationDetails": {"id": f"mandate/{request.action}/{request.environment}/"},
                "columnKind": "unicodeCodePoints",
                "invocations": [_invocation(answer)],
                "results": [_result(finding, index, answer) for finding in shown],
                "properties": _properties(answer),
            }
        ],
    }


def _rule(finding: Finding, link: Link | None) -> dict[str, Any]:
    rule: dict[str, Any] = {
        "id": finding.rule,
        "shortDescription": {"text": finding.title or finding.rule},
        "help": {"text": finding.solution or "See the policies."},
        "properties": {"tags": list(finding.controls)},
    }
    return rule if link is None else rule | {"helpUri": link(finding.rule)}


def _result(finding: Finding, index: dict[str, int], answer: Answer) -> dict[str, Any]:
    subject = answer.document.subject
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": index[finding.rule],
        "level": _LEVELS[finding.outcome],
        "message": {"text": _text(finding.message or f"{finding.term}: {finding.comparison}")},
        "locations": [
            {
                "logicalLocations": [
                    {"name": finding.term, "fullyQualifiedName": f"{subject.uri} {finding.term}"}
                ]
            }
        ],
        "partialFingerprints": {"finding/v1": f"{subject.uri} {finding.rule} {finding.term}"},
        "properties": {"outcome": finding.outcome.value, "boundSetAt": finding.bound_set_at},
    }
    if finding.outcome is FindingOutcome.WAIVED:
        waiver = finding.waiver or {}
        result["suppressions"] = [
            {"kind": "external", "justification": _text(str(waiver.get("reference") or "waived"))}
        ]
    return result


def _invocation(answer: Answer) -> dict[str, Any]:
    """Whether there is a decision; and why, where no single finding says it."""
    return {
        "executionSuccessful": answer.outcome is not Outcome.UNDECIDED,
        "toolExecutionNotifications": [
            {"level": "error", "message": {"text": _text(reason)}} for reason in answer.decision.reasons
        ],
    }


def _properties(answer: Answer) -> dict[str, Any]:
    receipt = answer.receipt
    return {
        "outcome": answer.outcome.value,
        "whatIf": answer.what_if,
        "decision": None if receipt is None else receipt.id,
        "ledger": None if receipt is None else {"origin": receipt.origin, "index": receipt.index},
        "subject": answer.document.subject.model_dump(mode="json"),
        "policyRevision": answer.judgement.policy.revision,
    }


def _text(text: str) -> str:
    """Brackets are escaped: in SARIF they make links (3.11.6), and what comes from outside links nowhere."""
    return _LINK.sub(r"\\\g<0>", visible(text, _LONGEST))
