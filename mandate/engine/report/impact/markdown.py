"""The impact as Markdown, for a merge request."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, TextIO

from ...replay.difference import Json
from ...replay.summary import FLIPS, NEWLY_ALLOWED, Impact
from ..literal import literal
from ..visible import visible
from . import wording
from .terminal import NO_OWNER

_MOST_ROWS = 50


def write(impact: Impact, stream: TextIO) -> None:
    """What a reviewer needs: what is newly allowed, what is newly denied, why, and whom it concerns."""
    stream.writelines(f"{line}\n" for line in _lines(impact))


def _lines(impact: Impact) -> Iterator[str]:
    counts = impact.counts
    yield "## Impact on recorded decisions"
    yield ""
    newly = sum(counts[count] for count in NEWLY_ALLOWED)
    if newly:
        unexpected = impact.totals.unexpected
        yield f"> **{newly:,} that were not allowed would be ALLOWED**, {unexpected:,} of them not expected."
        yield ""
    judged = f"{wording.counted(impact.judged, 'decision')} of {literal(impact.origin)} judged anew"
    yield f"{judged}{', not all that was asked for' if impact.interrupted else ''}."
    yield ""
    for label, side in (("Base", impact.base), ("Changed", impact.changed)):
        yield f"- {label}: {literal(wording.side(side.label, side.revision, side.opa_version))}"
    yield ""
    yield "| | decisions |"
    yield "|---|--:|"
    for count in FLIPS:
        if counts[count]:
            yield f"| {wording.HEADINGS[count]} | {counts[count]:,} |"
    yield f"| other findings, the same outcome | {counts['other_findings']:,} |"
    yield f"| the same | {counts['same']:,} |"
    if counts["damaged"]:
        yield f"| **damaged entries, not judged** | {counts['damaged']:,} |"
    for count in FLIPS:
        if counts[count]:
            yield from _flips(impact, count)
    totals = impact.totals
    for title, groups in (("model", totals.by_model), ("owner", totals.by_owner)):
        if groups:
            yield from _table(title, groups)
    remarks = [*wording.remarks(impact)]
    if remarks:
        yield ""
        yield from (f"- {literal(remark)}." for remark in remarks)


def _flips(impact: Impact, count: str) -> Iterator[str]:
    shown = impact.totals.shown[count]
    yield ""
    yield f"### {impact.counts[count]:,} {wording.HEADINGS[count]}"
    yield ""
    for flip in shown:
        yield f"- **{literal(wording.who(flip))}**, decision `{_plain_id(flip)}`"
        for cause in wording.causes(flip):
            about = f"{literal(cause.about)}: " if cause.about else ""
            parts = [f"~~{literal(cause.before)}~~" if cause.before else "", literal(cause.after)]
            yield f"  - {about}{' → '.join(part for part in parts if part)}"
        if flip.get("expected"):
            yield f"  - expected: {literal(flip['expected'])}"
    if (more := impact.counts[count] - len(shown)) > 0:
        yield f"- … and {more:,} more"


def _table(title: str, groups: Mapping[Any, Counter[str]]) -> Iterator[str]:
    yield ""
    yield f"| by {title} | {' | '.join(wording.COLUMNS)} | other |"
    yield "|---|--:|--:|--:|"
    rows = sorted(groups.items(), key=lambda group: (-group[1].total(), str(group[0])))
    for name, counts in rows[:_MOST_ROWS]:
        cells = [sum(counts[one] for one in ones) for ones in wording.COLUMNS.values()]
        cells.append(counts.total() - sum(cells))
        named = NO_OWNER if name is None else literal(str(name))
        yield f"| {named} | {' | '.join(f'{cell:,}' for cell in cells)} |"
    if len(rows) > _MOST_ROWS:
        yield f"| … and {len(rows) - _MOST_ROWS:,} more | | | |"


def _plain_id(flip: Json) -> str:
    return visible(str(flip["id"])).replace("`", "")
