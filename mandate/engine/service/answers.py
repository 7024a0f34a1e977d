"""What the service answers about a decision, as JSON."""

from __future__ import annotations

from typing import Any

from ..decision import Outcome
from ..gate import Answer
from ..report import Link, machine

_STATUS = {Outcome.ALLOW: 200, Outcome.DENY: 200, Outcome.UNDECIDED: 503}
_STRICT = _STATUS | {Outcome.DENY: 403}


def status(answer: Answer, *, strict: bool) -> int:
    """The HTTP status: undecided is 503 always, so that nobody takes it for an answer; with `strict`, a
    denial is 403, for callers that read nothing but the status."""
    return (_STRICT if strict else _STATUS)[answer.outcome]


def body(answer: Answer, link: Link | None) -> dict[str, Any]:
    """As `mandate check --output json` writes it."""
    return machine.document(answer, link)
