"""Which model, and what is asked about it."""

from __future__ import annotations

from ..action import Action
from .base import Frozen, Name, Sha256, UtcTime

__all__ = ["Action", "Request", "Subject"]


class Subject(Frozen):
    """The model version that is judged."""

    name: Name
    version: Name
    uri: Name
    """`models:/<name>/<version>`; an alias is resolved before this is made."""
    sha256: Sha256 | None
    """OpenSSF Model Signing root digest of the artifact; `None` if it could not be had."""
    risk_tier: str
    """As the registry's tag or `mandate.yaml` says; policies take an unknown one for the highest."""


class Request(Frozen):
    """The question."""

    action: Action
    environment: Name
    requested_by: Name
    time: UtcTime
    """Set by the gate. The only clock that policies have."""
    what_if: bool = False
    """Whether it is only asked what would be decided. Set by the gate."""
