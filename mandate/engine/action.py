"""What is asked for: apart from the input document, for whoever must not wait for that to be imported."""

from __future__ import annotations

from enum import StrEnum


class Action(StrEnum):
    """What the caller wants to do."""

    PROMOTE = "promote"
    DEPLOY = "deploy"
    MONITOR = "monitor"
    """Keep in service."""
