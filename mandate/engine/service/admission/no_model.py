"""The facts about an object that is said to run no model: Rego judges that claim as any other."""

from __future__ import annotations

from datetime import datetime

from ...input import Action, Collected, Input, Origin, Request, Subject
from .governed import NO_MODEL

_COLLECTOR = "admission"


class NoModelFacts:
    """Who claims it, and of which object: a model named `none`, of which nothing was collected."""

    def __init__(self, uri: str, *, environment: str, requested_by: str, risk_tier: str) -> None:
        self._uri = uri
        self._environment = environment
        self._requested_by = requested_by
        self._risk_tier = risk_tier

    def assemble(self, time: datetime) -> Input:
        """The document."""
        return Input(
            subject=Subject(
                name=NO_MODEL, version=NO_MODEL, uri=self._uri, sha256=None, risk_tier=self._risk_tier
            ),
            request=Request(
                action=Action.DEPLOY,
                environment=self._environment,
                requested_by=self._requested_by,
                time=time,
            ),
            # What is measured is that this person claims it of this object, and not that it is true.
            collection=(
                Collected(
                    name=_COLLECTOR, origin=Origin.MEASURED, source=self._uri, collected_at=time, seconds=0
                ),
            ),
        )

    def confirm(self, document: Input) -> None:
        """A claim is what it is."""
