"""The trace that a question to OPA belongs to (W3C Trace Context)."""

from __future__ import annotations

import re
from contextvars import ContextVar

HEADER = "traceparent"
TRACEPARENT: ContextVar[str | None] = ContextVar("traceparent", default=None)
"""Sent to OPA with each question, so that its spans are the question's children."""

_FORM = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


def trace_of(traceparent: str) -> str | None:
    """The id of the trace; `None` for what is no `traceparent` of version 00."""
    found = _FORM.fullmatch(traceparent)
    return found and found[1]
