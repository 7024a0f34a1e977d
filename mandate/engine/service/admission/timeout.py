"""How long the API server waits: `?timeout=10s`, which it appends to each call."""

from __future__ import annotations

import re

_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)(ns|us|µs|μs|ms|s|m|h)", re.ASCII)
_LONGEST = 30.0
"""Kubernetes allows no longer one."""
_MARGIN = 1.0


def seconds(text: str | None, *, default: float = 10.0) -> float:
    """How long an answer may take: one second less than the API server waits, or half of a short time.

    A time that cannot be read is the `default`: it is the API server that says it, and it is no secret.
    """
    waits = _duration(text) or default
    waits = min(waits, _LONGEST)
    return waits - _MARGIN if waits > 2 * _MARGIN else waits / 2


def _duration(text: str | None) -> float | None:
    """A duration as Go writes it, `1m30s`; `None` if it is none, or nothing."""
    if text is None or not re.fullmatch(rf"(?:{_PART.pattern})+", text, re.ASCII):
        return None
    return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text)) or None
