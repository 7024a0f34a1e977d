"""What two decisions on one input say differently, by rule and term.

Decisions are JSON here, not `Decision`: one of them may be years old. What one of them leaves out and the
other one says is null or empty is the same: Mandate writes `"waiver": null` where OPA writes nothing.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

Json = Mapping[str, Any]

BLOCKING = ("violation", "no_verdict")
JUDGED = ("level", "outcome", "measured", "comparison", "bound", "waiver")
"""Of a finding, what makes it another judgement. Words, and the line at which a bound stands, do not."""


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one term of one rule."""

    rule: str
    term: str
    before: tuple[Json, ...]
    """The findings, word for word; none if the rule did not judge the term."""
    after: tuple[Json, ...]
    absent: str | None = None
    """Why there is none on one side, where the decision says so: why the rule did not apply."""

    @property
    def appeared(self) -> bool:
        """Whether it blocks now and did not before."""
        return _blocks(self.after) and not _blocks(self.before)

    @property
    def vanished(self) -> bool:
        """Whether it blocked before and does not now."""
        return _blocks(self.before) and not _blocks(self.after)

    def as_json(self) -> dict[str, Any]:
        """For reports."""
        effect = "appeared" if self.appeared else "vanished" if self.vanished else None
        return {
            "rule": self.rule,
            "term": self.term,
            "block": effect,
            "before": [_said(finding) for finding in self.before],
            "after": [_said(finding) for finding in self.after],
            "not_applicable": self.absent,
        }


@dataclass(frozen=True, slots=True)
class Difference:
    """Two outcomes, and what else differs."""

    before: str
    after: str
    changes: tuple[Change, ...]
    reasons_before: tuple[str, ...]
    """Why, where no finding says it; only reasons that the other side does not give."""
    reasons_after: tuple[str, ...]

    @property
    def flipped(self) -> bool:
        """Whether the outcome is another one."""
        return self.before != self.after

    def __bool__(self) -> bool:
        return self.flipped or bool(self.changes or self.reasons_before or self.reasons_after)


def difference(before: Json, after: Json, members: Sequence[str] | None = JUDGED) -> Difference:
    """What `after` says differently. Of findings only `members` count; `None`: all that they have."""
    return Difference(
        before["outcome"],
        after["outcome"],
        tuple(_changes(before, after, members)),
        _only(before, after),
        _only(after, before),
    )


def _changes(before: Json, after: Json, members: Sequence[str] | None) -> Iterator[Change]:
    said, says = before.get("findings") or [], after.get("findings") or []
    if said == says:
        return
    differing = _differing(said, says)
    one, other = _by_term(said, differing), _by_term(says, differing)
    for key in sorted(differing):
        old, new = one.get(key, ()), other.get(key, ())
        if _judged(old, members) != _judged(new, members):
            yield Change(*key, old, new, _reason(key[0], before if not old else after if not new else {}))


def _differing(before: Sequence[Json], after: Sequence[Json]) -> set[tuple[str, str]]:
    """The rules and terms of findings that do not stand word for word at the same place on the other side.

    Of dozens of findings, most decisions differ in none or a few: the others are not looked at any more.
    """
    return {
        (finding["rule"], finding["term"])
        for pair in zip_longest(before, after)
        if pair[0] != pair[1]
        for finding in pair
        if finding is not None
    }


def _by_term(
    findings: Sequence[Json], wanted: Container[tuple[str, str]]
) -> dict[tuple[str, str], tuple[Json, ...]]:
    found: dict[tuple[str, str], tuple[Json, ...]] = {}
    for finding in findings:
        key = (finding["rule"], finding["term"])
        if key in wanted:
            found[key] = (*found.get(key, ()), finding)
    return found


def _judged(findings: tuple[Json, ...], members: Sequence[str] | None) -> list[dict[str, Any]]:
    if members is None:
        return [_said(finding) for finding in findings]
    return [_said({name: finding.get(name) for name in members}) for finding in findings]


def _said(finding: Json) -> dict[str, Any]:
    """The finding without what it leaves open."""
    return {name: value for name, value in finding.items() if value is not None and value != []}


def _reason(rule: str, decision: Json) -> str | None:
    for other in decision.get("not_applicable", ()):
        if other["rule"] == rule:
            return str(other["reason"])
    return None


def _only(decision: Json, other: Json) -> tuple[str, ...]:
    there = other.get("reasons", ())
    return tuple(reason for reason in decision.get("reasons", ()) if reason not in there)


def _blocks(findings: tuple[Json, ...]) -> bool:
    return any(finding["outcome"] in BLOCKING for finding in findings)
