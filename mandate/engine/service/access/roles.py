"""Which role may use which route: one table, and whoever is not in it may not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from ..problems import Problem


class Role(StrEnum):
    """What a caller is there for."""

    DECIDER = "decider"
    """Asks whether a model may pass."""
    APPROVER = "approver"
    """Hands in what a person signed."""
    AUDITOR = "auditor"
    """Reads everything and writes nothing."""
    OPERATOR = "operator"
    """Keeps the service running."""
    METRICS = "metrics"
    """Reads the metrics."""


ACCESS: Mapping[str, frozenset[Role]] = MappingProxyType(
    {
        "decide": frozenset({Role.DECIDER}),
        "decide_batch": frozenset({Role.DECIDER}),
        "decision": frozenset({Role.DECIDER, Role.AUDITOR}),
        "decisions": frozenset({Role.AUDITOR}),
        "status": frozenset({Role.DECIDER, Role.AUDITOR}),
        "approve": frozenset({Role.APPROVER}),
        "waive": frozenset({Role.APPROVER}),
        "event": frozenset({Role.APPROVER}),
        "checkpoint": frozenset(Role),
        "proof": frozenset({Role.DECIDER, Role.AUDITOR}),
        "consistency": frozenset(Role),
        "admission": frozenset({Role.DECIDER}),
        "metrics": frozenset({Role.OPERATOR, Role.METRICS}),
        "readiness": frozenset({Role.OPERATOR, Role.METRICS}),
    }
)
"""By the route's name."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who was recognised."""

    name: str
    roles: frozenset[Role]
    how: str
    """`token`, `oidc` or `certificate`."""

    def demand(self, route: str) -> None:
        """Return if this caller may use the route; `Problem` 403 if not."""
        if self.roles.isdisjoint(ACCESS[route]):
            needed = ", ".join(sorted(ACCESS[route]))
            raise Problem(
                403,
                "You may not do this",
                f"it takes one of the roles {needed}",
                next_step="Ask whoever keeps the list of callers",
            )
