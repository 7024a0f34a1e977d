"""What became of each collector: *collected*, *missing* and *failed* are three types."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from .base import Frozen, Name, Sha256, UtcTime
from .figures import Origin


class Reused(Frozen):
    """Where facts come from that were not collected for this question."""

    entry: Name
    """The id of the entry of the ledger that has them: a decision, or facts that were sent ahead."""
    index: Annotated[int, Field(ge=0)]
    """Its place in the ledger."""
    keyid: Name
    """The key that signed it."""


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
    settings_sha256: Annotated[Sha256 | None, Field(exclude_if=lambda settings: settings is None)] = None
    """Digest of the collector's settings, over their canonical JSON. Left out where nobody knows them."""
    reused: Annotated[Reused | None, Field(exclude_if=lambda reused: reused is None)] = None
    """Set where the facts were collected for an earlier question; `collected_at` says when. Left out else."""


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
