"""Instants in files that people write: RFC 3339 with an offset, so that nobody reads another time."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

from .base import UtcTime

DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
"""A pattern in the dialects of Python and of JSON Schema, as the others here."""
TIME = r"[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?([Zz]|[+-][0-9]{2}:[0-9]{2})"
"""What follows the day."""


def instant(text: object) -> datetime:
    """The instant in UTC. `ValueError` for anything else than text such as `2026-01-31T12:00:00Z`."""
    if not isinstance(text, str) or not re.fullmatch(DAY + TIME, text):
        raise ValueError("must be an RFC 3339 instant with its offset, such as 2026-01-31T12:00:00Z")
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except OverflowError as error:
        raise ValueError("must be between the years 1 and 9999") from error


Instant = Annotated[
    UtcTime,
    BeforeValidator(instant),
    WithJsonSchema({"type": "string", "format": "date-time", "pattern": f"^{DAY}{TIME}$"}),
]
"""An instant as `instant` reads it."""
