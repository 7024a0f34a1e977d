"""What depends on the day: waivers that are pending, expiring or expired, and rules that are announced.

Judging knows the request's time only. Here it is somebody's today, who asks what needs looking after.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from .problems import Level, Problem


def deadlines(data: Mapping[str, Any], now: datetime) -> Iterator[Problem]:
    """Warnings about the compiled `data.mandate` at this instant."""
    days = _expiring_within_days(data)
    for waiver in data.get("waivers", ()):
        if (found := _waiver(waiver, now, days)) is not None:
            rule, what, next_step = found
            yield Problem("deadlines", rule, Level.WARNING, waiver["id"], what, next_step)
    for name, about in sorted(data["catalogue"].items()):
        if _instant(about["effective_on"]) > now:
            yield Problem(
                "deadlines",
                "rule-announced",
                Level.WARNING,
                about.get("defined_at", ""),
                f"the rule {name} only warns until {about['effective_on']}, and denies from then on",
                "See by `mandate policy impact` whom it would stop",
            )


def _expiring_within_days(data: Mapping[str, Any]) -> float:
    setting = data["thresholds"].get("waivers", {}).get("expiring_within_days", {})
    return float(setting.get("default", {}).get("value", 0))


def _waiver(waiver: Mapping[str, Any], now: datetime, days: float) -> tuple[str, str, str] | None:
    called = f"the waiver of {waiver['rule']} by {waiver['approver']}"
    begins, ends = _instant(waiver["effective_on"]), _instant(waiver["expires"])
    if ends <= now:
        return (
            "waiver-expired",
            f"{called} expired at {waiver['expires']}",
            "Remove it, or have it approved anew",
        )
    if begins > now:
        return (
            "waiver-pending",
            f"{called} takes effect at {waiver['effective_on']}, and waives nothing until then",
            "Nothing is to be done if that is meant",
        )
    if ends <= now + timedelta(days=days):
        return (
            "waiver-expiring",
            f"{called} expires at {waiver['expires']}, in {_days(ends - now)}",
            "Satisfy the rule by then, or have the waiver approved anew",
        )
    return None


def _days(left: timedelta) -> str:
    return "less than a day" if left.days == 0 else "1 day" if left.days == 1 else f"{left.days} days"


def _instant(text: str) -> datetime:
    """An instant in UTC as the compiler leaves it, without what is less than a second."""
    return datetime.fromisoformat(text[:19]).replace(tzinfo=UTC)
