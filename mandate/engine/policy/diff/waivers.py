"""Waivers that are new, gone, longer or shorter, or that say something else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...digests import canonical
from ..build import Compiled
from .changes import Change, Effect, Kind, Name, Section, Words, from_to, joined

Waiver = Mapping[str, Any]

_REASONS = ("reason", "reference", "approver")


def changes(old: Compiled, new: Compiled) -> Iterator[Change]:
    """The changes of `data.mandate.waivers`; where one stands is none."""
    before, after = (_by_what_they_waive(each.data.get("waivers", ())) for each in (old, new))
    for key in sorted({*before, *after}):
        pairs, gone, added = _matched(before.get(key, []), after.get(key, []))
        for was, now in pairs:
            yield from _changes(was, now)
        for waiver in gone:
            said = ("is no longer waived ", *_about(waiver))
            yield _change("", Kind.REMOVED, Effect.TIGHTER, said, old=waiver)
        for waiver in added:
            yield _change("", Kind.ADDED, Effect.LOOSER, ("is waived ", *_about(waiver)), new=waiver)


def _by_what_they_waive(waivers: Sequence[Waiver]) -> dict[bytes, list[Waiver]]:
    found: dict[bytes, list[Waiver]] = {}
    for waiver in waivers:
        found.setdefault(canonical([waiver["rule"], waiver["subject"]]), []).append(waiver)
    return found


def _matched(
    old: Sequence[Waiver], new: Sequence[Waiver]
) -> tuple[list[tuple[Waiver, Waiver]], list[Waiver], list[Waiver]]:
    """Old and new waivers of the same, in pairs, and what is left of each.

    Paired is what is the same, then what has the same reference, then what begins earliest.
    """
    gone, added = (
        sorted(each, key=lambda waiver: canonical([waiver["effective_on"], waiver["expires"]]))
        for each in (old, new)
    )
    pairs: list[tuple[Waiver, Waiver]] = []
    for keys in (("effective_on", "expires", *_REASONS), ("reference",), ()):
        for was in [*gone]:
            now = next((each for each in added if all(each[key] == was[key] for key in keys)), None)
            if now is not None:
                gone.remove(was)
                added.remove(now)
                pairs.append((was, now))
    return pairs, gone, added


def _changes(was: Waiver, now: Waiver) -> Iterator[Change]:
    yield from _span(was, now)
    said = [(key, *from_to(was[key], now[key])) for key in _REASONS if was[key] != now[key]]
    if said:
        words = ("is waived ", *_subject(now), " otherwise: ", *joined(said, ", "))
        yield _change("because", Kind.CHANGED, Effect.OTHER, words, old=was, new=now)


def _span(was: Waiver, now: Waiver) -> Iterator[Change]:
    (began, ended), (begins, ends) = (
        [waiver[key].removesuffix("Z") for key in ("effective_on", "expires")] for waiver in (was, now)
    )
    longer, shorter = begins < began or ends > ended, begins > began or ends < ended
    if longer or shorter:
        effect = Effect.of(tighter=shorter, looser=longer)
        verb = "at another time" if longer and shorter else "for longer" if longer else "for a shorter time"
        words: list[Words] = [
            (word, *from_to(was[key], now[key]))
            for word, key in (("beginning", "effective_on"), ("expiring", "expires"))
            if was[key] != now[key]
        ]
        said = ("is waived ", *_subject(now), f" {verb}, ", *joined(words, ", "))
        yield _change("time", Kind.CHANGED, effect, said, old=was, new=now)


def _subject(waiver: Waiver) -> Words:
    subject = waiver["subject"]
    if "sha256" in subject:
        return ("for the artifact ", Name(subject["sha256"][:12]))
    return ("for ", Name(subject["name"]), " version ", Name(subject["version"]))


def _about(waiver: Waiver) -> Words:
    return (
        *(*_subject(waiver), " from ", Name(waiver["effective_on"]), " until ", Name(waiver["expires"])),
        *(
            ": ",
            Name(waiver["reason"]),
            " (",
            Name(waiver["reference"]),
            ", by ",
            Name(waiver["approver"]),
            ")",
        ),
    )


def _change(
    aspect: str,
    kind: Kind,
    effect: Effect,
    said: Words,
    *,
    old: Waiver | None = None,
    new: Waiver | None = None,
) -> Change:
    rule = next(each["rule"] for each in (old, new) if each)
    old_at, new_at = (each["id"] if each else None for each in (old, new))
    return Change(Section.WAIVERS, kind, effect, rule, aspect, said, old, new, old_at, new_at)
