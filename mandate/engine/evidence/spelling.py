"""What people write for a kind of entry or for an instant, as the ledger has it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ..errors import BadRequest


def kind(name: str, *, where: str) -> str:
    """The predicate type: `decision` stands for its newest version, `decision/v1` for that one.

    `where` names the option or parameter in errors.
    """
    from .predicates import TYPES
    from .predicates.base import AUTHORITY

    names = sorted(each.removeprefix(AUTHORITY) for each in TYPES)
    known = [each for each in names if name in (each, each.partition("/")[0], AUTHORITY + each)]
    if not known:
        raise BadRequest(
            f"nothing of the kind {ascii(name)[:100]} can be recorded",
            where=where,
            next_step=f"Give one of {', '.join(each.partition('/')[0] for each in names)}",
        )
    return AUTHORITY + known[-1]


def instant(text: str, *, where: str, end: bool = False) -> str:
    """The day or instant; with `end`, a day is its end. Without an offset it is in UTC."""
    from .predicates.base import rfc3339_milliseconds

    try:
        time = datetime.fromisoformat(text)
        if end and len(text) == len("2026-12-31"):
            time += timedelta(days=1)
        return rfc3339_milliseconds(time if time.tzinfo else time.replace(tzinfo=UTC))
    except (ValueError, OverflowError) as error:
        raise BadRequest(
            f"{ascii(text)[:100]} is no day and no instant",
            where=where,
            next_step="Write 2026-12-31 or 2026-12-31T09:30:00Z",
        ) from error
