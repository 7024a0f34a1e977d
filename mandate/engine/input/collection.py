"""What became of each collector: *collected*, *missing* and *failed* are three types."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from .base import Frozen, Name, Sha256, UtcTime
from .figures import Origin


class Collected(Frozen):
    """The collector returned its sections."""

    name: Name
    status: Literal["collected"] = "collected"
    origin: Origin
    """`measured` if the collector read the source itself; `reported` if a caller sent the section."""
    reported_by: str | None = None
    """Who sent it, where `origin` is `reported`."""
    source: str
    """What was read: a URI or path, as configured."""
    sha256: Sha256 | None = None
    """Digest of what was read; `None` only where the source is an API and not a file."""
    collected_at: UtcTime
    seconds: Annotated[float, Field(ge=0)]
    """Time taken."""


class Missing(Frozen):
    """There was nothing to collect: not configured, or the source does not have it."""

    name: Name
    status: Literal["missing"] = "missing"
    reason: str
    source: str = ""


class Failed(Frozen):
    """The collector could not find out. This is never the same as having found nothing."""

    name: Name
    status: Literal["failed"] = "failed"
    reason: str
    source: str = ""


Collection = Annotated[Collected | Missing | Failed, Field(discriminator="status")]
