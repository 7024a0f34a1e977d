"""What requests may name: environments, risk tiers and families of models."""

from __future__ import annotations

from collections.abc import Iterator

from ..build import Compiled
from .changes import Change, Effect, Kind, Name, Section, Words, listed


def changes(old: Compiled, new: Compiled) -> Iterator[Change]:
    """The changes of `data.mandate.scope`."""
    before, after = old.data["scope"], new.data["scope"]
    for name in sorted({*before["environments"], *after["environments"]}):
        if name not in before["environments"]:
            said = ("is known now: a request for it was always denied",)
            yield _change(f"environment {name}", Kind.ADDED, Effect.LOOSER, said, new=name)
        elif name not in after["environments"]:
            said = ("is no longer known: every request for it is denied",)
            yield _change(f"environment {name}", Kind.REMOVED, Effect.TIGHTER, said, old=name)
    if before["risk_tiers"] != after["risk_tiers"]:
        yield _tiers(before["risk_tiers"], after["risk_tiers"])
    families = [each.get("families", {}) for each in (before, after)]
    for model in sorted({*families[0], *families[1]}):
        was, now = (each.get(model) for each in families)
        if was != now:
            kind = Kind.CHANGED if was and now else Kind.ADDED if now else Kind.REMOVED
            yield _change(f"model {model}", kind, Effect.OTHER, _family(was, now), old=was, new=now)


def _tiers(old: list[str], new: list[str]) -> Change:
    said: Words = ("are now, from lowest to highest, ", *listed(new), ", and were ", *listed(old))
    if old[-1] != new[-1]:
        said += ("; a model of an unknown tier is judged as ", Name(new[-1]), ", and was as ", Name(old[-1]))
    return _change("risk tiers", Kind.CHANGED, Effect.OTHER, said, old=old, new=new)


def _family(old: str | None, new: str | None) -> Words:
    if new is None:
        return ("is no longer of the family ", Name(str(old)))
    return ("is of the family ", Name(new), *((", and was of ", Name(old)) if old else ()))


def _change(subject: str, kind: Kind, effect: Effect, said: Words, **sides: object) -> Change:
    return Change(Section.SCOPE, kind, effect, subject, "", said, **sides)  # type: ignore[arg-type]  # `old` and `new`
