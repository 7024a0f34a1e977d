"""in-toto Simple Verification Result, version 0.2.

Format: https://github.com/in-toto/attestation/blob/main/spec/predicates/svr.md
"""

from __future__ import annotations

from typing import Any, Final

from ...decision import Decision, FindingOutcome, Outcome
from ..predicates.base import rfc3339_milliseconds
from ..receipt import Record
from . import words

TYPE: Final = "https://in-toto.io/attestation/svr/v0.2"
_PASSED = "MANDATE_PASSED_"


def predicate(record: Record) -> dict[str, Any]:
    """The predicate for an allow or a deny. Of a deny it names what passed all the same, and no allow."""
    decision = record.judgement.decision
    allowed = [words.allowed(record)] if decision.outcome is Outcome.ALLOW else []
    return {
        "verifier": {"id": words.verifier(record), "policies": [words.policy(record)]},
        "timeCreated": rfc3339_milliseconds(record.document.request.time),
        "properties": [*allowed, *(f"{_PASSED}{rule}" for rule in _passed(decision))],
    }


def _passed(decision: Decision) -> list[str]:
    """The rules of which everything passed: a warning or a waiver is no proof."""
    outcomes: dict[str, set[FindingOutcome]] = {}
    for finding in decision.findings:
        outcomes.setdefault(finding.rule, set()).add(finding.outcome)
    return sorted(rule for rule, found in outcomes.items() if found == {FindingOutcome.PASSED})
