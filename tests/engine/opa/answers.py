"""An OPA's answer, and a document to ask about."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from mandate.engine.input.document import Input
from mandate.engine.input.subject import Action, Request, Subject

REVISION = "sha256:5f1c"
"""Of every policy bundle here, unless a test says otherwise."""


def document(environment: str) -> Input:
    return Input(
        subject=Subject(name="credit", version="3", uri="models:/credit/3", sha256=None, risk_tier="high"),
        request=Request(
            action=Action.PROMOTE,
            environment=environment,
            requested_by="a@example.org",
            time=datetime(2026, 3, 1, tzinfo=UTC),
        ),
    )


GOOD: dict[str, Any] = {
    "provenance": {
        "version": "1.22.2",
        "build_commit": "",
        "build_timestamp": "",
        "build_hostname": "",
        "bundles": {"mandate": {"revision": REVISION}},
    },
    "result": {
        "outcome": "allow",
        "reasons": [],
        "findings": [
            {
                "rule": "performance.minimum",
                "term": "accuracy",
                "level": "must",
                "outcome": "passed",
                "measured": 0.9,
                "comparison": ">=",
                "bound": 0.8,
                "bound_set_at": "thresholds/performance.yaml:3",
                "origin": "measured",
                "collector": "performance",
                "n": 100,
                "interval": None,
            }
        ],
        "not_applicable": [{"rule": "drift.psi", "reason": "asked for monitoring only"}],
    },
}
"""What a real OPA answers about staging."""
