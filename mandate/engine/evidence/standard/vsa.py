"""SLSA Verification Summary Attestation, version 1: https://slsa.dev/spec/v1.1/verification_summary."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote, urlencode

from ...decision import Outcome
from ..predicates.base import rfc3339_milliseconds
from ..receipt import Record
from . import words

TYPE: Final = "https://slsa.dev/verification_summary/v1"


def predicate(record: Record) -> dict[str, Any]:
    """The predicate for an allow or a deny.

    Mandate verifies no SLSA level, and claims none: the level of an allow is a custom one, as the
    specification lets it be.
    """
    document, receipt = record.document, record.receipt
    passed = record.judgement.decision.outcome is Outcome.ALLOW
    versions = {"mandate": record.mandate_version, "opa": record.judgement.opa_version}
    return {
        "verifier": {
            "id": words.verifier(record),
            "version": {name: version for name, version in versions.items() if version},
        },
        "timeVerified": rfc3339_milliseconds(document.request.time),
        "resourceUri": _resource(record),
        "policy": words.policy(record),
        # The decision, which has everything else: it is what this was made from.
        "inputAttestations": [{"uri": f"urn:uuid:{receipt.id}", "digest": {"sha256": receipt.leaf}}],
        "verificationResult": "PASSED" if passed else "FAILED",
        "verifiedLevels": [words.allowed(record) if passed else "FAILED"],
    }


def _resource(record: Record) -> str:
    """The model version for this action in this environment: what passed for one does not pass for another.

    The name is written as a URI wants it.
    """
    subject, request = record.document.subject, record.document.request
    scheme, _, path = subject.uri.partition(":")
    query = urlencode({"action": request.action.value, "environment": request.environment}, quote_via=quote)
    return f"{scheme}:{quote(path, safe='/@')}?{query}"
