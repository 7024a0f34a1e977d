"""Which role may use which route: one table, and whoever is not in it may not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

LONGEST_NAME = 300
"""Characters of a caller's name: with an idempotency key behind it, it is the name of a request."""


class Role(StrEnum):
    """What a caller is there for."""

    DECIDER = "decider"
    """Asks whether a model may pass."""
    APPROVER = "approver"
    """Reads what was found, and hands in what a person signed."""
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
        # Whoever is to sign reads what was found, and in which words the policies know who signs.
        "decision": frozenset({Role.DECIDER, Role.APPROVER, Role.AUDITOR}),
        "decisions": frozenset({Role.APPROVER, Role.AUDITOR}),
        "person": frozenset({Role.APPROVER, Role.AUDITOR}),
        "status": frozenset({Role.DECIDER, Role.AUDITOR}),
        "approve": frozenset({Role.APPROVER}),
        "waive": frozenset({Role.APPROVER}),
        "event": frozenset({Role.APPROVER}),
        # Facts permit nothing, and whose they are says the signature: whoever asks may send them ahead.
        "facts": frozenset({Role.DECIDER}),
        "checkpoint": frozenset(Role),
        "proof": frozenset({Role.DECIDER, Role.APPROVER, Role.AUDITOR}),
        "consistency": frozenset(Role),
        "admission": frozenset({Role.DECIDER}),
        "metrics": frozenset({Role.OPERATOR, Role.METRICS}),
        "readiness": frozenset({Role.OPERATOR, Role.METRICS}),
    }
)
"""By the route's name. Settings can open three of them: `service.anonymous_probes` lets everybody read
`metrics` and `readiness`, and `service.admission.anonymous` lets an API server without a token ask
`admission`."""

OPEN = frozenset({"liveness", "openapi"})
"""Routes that answer everybody: they tell that the process lives, and what anybody can read in the source."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who was recognised."""

    name: str
    roles: frozenset[Role]
    how: str
    """`token`, `oidc` or `certificate`; `anonymous` where the settings let somebody in without."""

    def may(self, route: str) -> bool:
        """Whether this caller may use the route of this name; nobody may use one that is not in the table."""
        return not self.roles.isdisjoint(ACCESS.get(route, frozenset()))
