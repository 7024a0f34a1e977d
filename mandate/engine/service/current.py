"""The request that is being served: what each line of the log says of it.

Work in threads sees the request that it is done for, since a thread's context is a copy of the request's.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field


@dataclass(slots=True)
class Current:
    """One request."""

    id: str
    """Its id: the caller's `X-Request-ID`, or one of ours."""
    trace: str | None = None
    """The id of the trace that it belongs to, 32 hexadecimal digits."""
    decisions: list[str] = field(default_factory=list)
    """Ids of the decisions that it led to."""
    outcome: str | None = None
    """Of the last of them."""


CURRENT: ContextVar[Current | None] = ContextVar("current", default=None)


def said() -> Mapping[str, str]:
    """What a line of the log says of the request, if it is about one."""
    if (current := CURRENT.get()) is None:
        return {}
    trace = {} if current.trace is None else {"trace": current.trace}
    return {"request": current.id, **trace}


def decided(id_: str, outcome: str) -> None:
    """Remember that the request led to a decision."""
    if (current := CURRENT.get()) is not None:
        current.decisions.append(id_)
        current.outcome = outcome
