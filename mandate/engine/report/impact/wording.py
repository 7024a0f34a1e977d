"""What the reports for people say, format aside."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ...replay.difference import Json
from ...replay.summary import FLIPS, Impact
from ..visible import visible

HEADINGS = {
    "deny_to_allow": "denied before, ALLOWED now",
    "undecided_to_allow": "undecided before, ALLOWED now",
    "allow_to_deny": "allowed before, denied now",
    "allow_to_undecided": "allowed before, undecided now",
    "deny_to_undecided": "denied before, undecided now",
    "undecided_to_deny": "undecided before, denied now",
}
"""Of each kind of flip."""

COLUMNS = {"to allow": ("deny_to_allow", "undecided_to_allow"), "allow to deny": ("allow_to_deny",)}
"""Of the tables by model and by owner; what is left is `other`."""

_SIGNS = {"<=": "≤", ">=": "≥", "==": "="}
_LONGEST = 600
_MOST_RULES = 8


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing that made a decision flip."""

    about: str
    """Rule and term; empty where it is none of a rule."""
    before: str
    """What it said; empty if it did not stand in the way."""
    after: str
    """What it says; empty if it no longer stands in the way and the decision does not say why."""


def causes(flip: Json) -> Iterator[Cause]:
    """Why it flipped: what no longer blocks, what blocks now, and what no finding says."""
    for change in flip["changes"]:
        about = f"{change['rule']} {change['term']}"
        if change["block"] == "vanished":
            yield Cause(about, _blocking(change["before"]), _now(change))
        elif change["block"] == "appeared":
            yield Cause(about, "", _blocking(change["after"]))
    for reason in flip["reasons"]["before"]:
        yield Cause("", visible(reason, _LONGEST), "")
    for reason in flip["reasons"]["after"]:
        yield Cause("", "", visible(reason, _LONGEST))


def _blocking(findings: list[Json]) -> str:
    """What stands in the way, and where its bound was set."""
    sentences = [
        visible(finding.get("message") or finding["comparison"], _LONGEST) + _set_at(finding)
        for finding in findings
        if finding["outcome"] in ("violation", "no_verdict")
    ]
    return " ".join(sentences)


def _now(change: Json) -> str:
    """What became of a term that no longer stands in the way."""
    if not change["after"]:
        why = change["not_applicable"]
        return f"not judged: {visible(why, _LONGEST)}" if why else "not judged"
    return "; ".join(map(_milder, change["after"]))


def _milder(finding: Json) -> str:
    if finding["outcome"] == "passed":
        if finding["comparison"] == "present":
            return "passes"
        sign = _SIGNS.get(finding["comparison"], finding["comparison"])
        return f"passes at {sign} {visible(_value(finding.get('bound')))}{_set_at(finding)}"
    if finding["outcome"] == "waived":
        waiver = finding.get("waiver") or {}
        by = f" by {visible(str(waiver['approver']))}" if "approver" in waiver else ""
        until = f" until {visible(str(waiver['expires']))}" if "expires" in waiver else ""
        return f"waived{by}{until}"
    return f"only warns: {visible(finding.get('message') or '', _LONGEST)}{_set_at(finding)}"


def _set_at(finding: Json) -> str:
    return f" [{visible(finding['bound_set_at'])}]" if finding.get("bound_set_at") else ""


def _value(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return ", ".join(map(_value, value))
    return str(value)


def side(label: str, revision: str | None, opa_version: str | None) -> str:
    """One of the two that are compared, in a line."""
    parts = [visible(label)]
    if revision:
        parts.append(f"{revision[:19]}…")
    if opa_version:
        parts.append(f"OPA {visible(opa_version)}")
    return "  ".join(parts)


def who(flip: Json) -> str:
    """The model and the question."""
    subject, request = flip["subject"], flip["request"]
    name, version = visible(str(subject["name"])), visible(str(subject["version"]))
    question = f"{visible(str(request['action']))} · {visible(str(request['environment']))}"
    return f"{name} version {version}  {question}"


def counted(count: int, noun: str) -> str:
    """`1 decision`, `2,380 decisions`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _rules(impact: Impact) -> str:
    """The rules by which alone most decisions are judged."""
    rules = sorted(impact.journal.rules)
    if not rules:
        return "none, because nothing that judges differs from what is on record"
    named = ", ".join(map(visible, rules[:_MOST_RULES]))
    more = f" and {len(rules) - _MOST_RULES:,} more" if len(rules) > _MOST_RULES else ""
    return f"the rules alone that the change can reach ({named}{more})"


def _confirmed(impact: Impact) -> str:
    """How many flips all rules confirm."""
    flips = sum(impact.counts[name] for name in FLIPS)
    confirmed = flips - impact.journal.flips_by_reached
    return f", among them {confirmed:,} of {counted(flips, 'flip')}" if flips else ""


def remarks(impact: Impact) -> Iterator[str]:
    """What a reader must know of the run to read its numbers rightly."""
    counts = impact.counts
    for one in (impact.base, impact.changed):
        yield from (f"{visible(one.label)}: {visible(note, _LONGEST)}" for note in one.notes)
    if counts["never_answered"]:
        yield (
            f"{counted(counts['never_answered'], 'decision')} left out: undecided when recorded, because no "
            "answer of an OPA counted. Policies had no say in that"
        )
    if impact.journal.unanswered:
        yield (
            f"{counted(impact.journal.unanswered, 'decision')} undecided because an OPA gave no answer, "
            "or none that counts"
        )
    if by_reached := impact.journal.by_reached:
        yield (
            f"{counted(by_reached, 'decision')} judged by {_rules(impact)}; "
            f"the others by all rules{_confirmed(impact)}"
        )
    for decision, reason in sorted(impact.totals.unused.items()) if not impact.interrupted else ():
        yield f"Expected, but it did not flip: {decision} ({visible(reason)})"
