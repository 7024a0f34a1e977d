"""The answer as one JSON document, for programs."""

from __future__ import annotations

import json
from typing import Any, TextIO

from ..gate import Answer
from . import Link


def document(answer: Answer, link: Link | None = None) -> dict[str, Any]:
    """The answer as JSON values; with a `link`, each finding has its rule's `documentation`."""
    subject, request, receipt = answer.document.subject, answer.document.request, answer.receipt
    decision = answer.decision.model_dump(mode="json", exclude={"outcome"}, exclude_defaults=True)
    if link is not None:
        for finding in decision.get("findings", ()):
            finding["documentation"] = link(finding["rule"])
    return {
        "outcome": answer.outcome.value,
        "what_if": answer.what_if,
        "id": receipt.id if receipt else None,
        "subject": subject.model_dump(mode="json"),
        "request": request.model_dump(mode="json"),
        **decision,
        "collection": [entry.model_dump(mode="json") for entry in answer.document.collection],
        "policy": answer.judgement.policy.model_dump(mode="json"),
        "opa": {"version": answer.judgement.opa_version},
        "ledger": receipt.model_dump(mode="json") if receipt else None,
    }


def write(answer: Answer, stream: TextIO, *, verbose: bool, link: Link | None = None) -> None:
    """Everything, whether `verbose` or not. Non-ASCII and control characters are escaped."""
    json.dump(document(answer, link), stream, indent=2)
    stream.write("\n")
