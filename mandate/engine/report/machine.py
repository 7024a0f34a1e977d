"""The answer as one JSON document, for programs."""

from __future__ import annotations

import json
from typing import Any, TextIO

from ..gate import Answer


def document(answer: Answer) -> dict[str, Any]:
    """The answer as JSON values."""
    subject, request, receipt = answer.document.subject, answer.document.request, answer.receipt
    return {
        "outcome": answer.outcome.value,
        "id": receipt.id if receipt else None,
        "subject": subject.model_dump(mode="json"),
        "request": request.model_dump(mode="json"),
        **answer.decision.model_dump(mode="json", exclude={"outcome"}, exclude_defaults=True),
        "collection": [entry.model_dump(mode="json") for entry in answer.document.collection],
        "policy": answer.judgement.policy.model_dump(mode="json"),
        "opa": {"version": answer.judgement.opa_version},
        "ledger": receipt.model_dump(mode="json") if receipt else None,
    }


def write(answer: Answer, stream: TextIO, *, verbose: bool) -> None:
    """Everything, whether `verbose` or not. Non-ASCII and control characters are escaped."""
    json.dump(document(answer), stream, indent=2)
    stream.write("\n")
