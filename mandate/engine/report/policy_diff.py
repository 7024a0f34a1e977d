"""What changed between two revisions of policies, for reviewers and for programs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Any, TextIO

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ..policy.diff import Difference
from ..policy.diff.changes import Change, Effect, Kind, Name, Section
from .terminal import console
from .visible import visible

_TITLES = {
    Section.RULES: "Rules",
    Section.CODE: "Rego",
    Section.THRESHOLDS: "Thresholds",
    Section.SELECTION: "Selection",
    Section.JUDGING: "What judges where",
    Section.WAIVERS: "Waivers",
    Section.PEOPLE: "People",
    Section.SCOPE: "Scope",
}
_STYLES = {Effect.TIGHTER: "green", Effect.LOOSER: "red", Effect.OTHER: "dim"}
_PATCHES = {"+": "green", "-": "red", "@": "cyan"}
_COUNTED = (Section.RULES, Section.WAIVERS)
_LONG = 2000
"""Most characters of one line."""


@dataclass(frozen=True, slots=True)
class Report:
    """A difference, with what people call the two revisions."""

    old: str
    new: str
    difference: Difference
    patch: bool
    """Whether the code that changed is shown line by line."""

    @property
    def summary(self) -> str:
        """`tighter: 2 · looser: 1 · other: 0 · rules: +1 −0`, or that nothing changed."""
        if not self.difference.changes:
            same = self.difference.old == self.difference.new
            why = "it is the same revision" if same else "comments, tests, format or order differ at most"
            return f"No difference in what is judged: {why}."
        counts = [f"{effect}: {self.difference.count(effect)}" for effect in Effect]
        for section in _COUNTED:
            kinds = self.difference.counts(section)
            if section is Section.RULES or any(kinds.values()):
                counts.append(f"{section}: +{kinds[Kind.ADDED]} −{kinds[Kind.REMOVED]}")
        return " · ".join(counts)

    def sections(self) -> Iterator[tuple[str, Sequence[Change]]]:
        """The changes below their titles."""
        for section, changes in groupby(self.difference.changes, key=attrgetter("section")):
            yield _TITLES[section], [*changes]


def document(report: Report) -> dict[str, Any]:
    """All of it as JSON values."""
    difference = report.difference
    return {
        "old": {"name": report.old, "revision": difference.old},
        "new": {"name": report.new, "revision": difference.new},
        "summary": {
            **{str(effect): difference.count(effect) for effect in Effect},
            **{
                str(section): {str(kind): count for kind, count in difference.counts(section).items()}
                for section in Section
            },
        },
        "changes": [_as_json(change, patch=report.patch) for change in difference.changes],
    }


def _as_json(change: Change, *, patch: bool) -> dict[str, Any]:
    return {
        "section": change.section,
        "kind": change.kind,
        "effect": change.effect,
        "subject": change.subject,
        "aspect": change.aspect,
        "says": change.says,
        "old": change.old,
        "new": change.new,
        "old_at": change.old_at,
        "new_at": change.new_at,
        **({"patch": change.patch} if patch else {}),
    }


def write(report: Report, stream: TextIO) -> None:
    """For a terminal."""
    shown = console(stream)
    with shown.capture() as capture:
        shown.print(Text.assemble((visible(report.old), "bold"), " → ", (visible(report.new), "bold")))
        shown.print(report.summary)
        for title, changes in report.sections():
            shown.print(f"\n{title}", style="bold")
            for change in changes:
                shown.print(_change(change))
                if report.patch:
                    for line in _lines(change.patch):  # one that is wrapped would be no patch
                        shown.print(Text(line, style=_PATCHES.get(line[:1], "")), soft_wrap=True)
    stream.write("".join(f"{line.rstrip()}\n" for line in capture.get().splitlines()))


def _change(change: Change) -> RenderableType:
    said = Text.assemble((visible(change.subject), "bold"), " ")
    for part in change.words:
        said.append(visible(part, _LONG) if isinstance(part, Name) else part)
    if place := change.new_at or change.old_at:
        said.append(f"\n{visible(place)}", style="dim")
    row = Table.grid(padding=(0, 2))
    row.add_column(no_wrap=True, min_width=max(map(len, Effect)))
    row.add_column()
    mark = "" if change.effect is Effect.OTHER else str(change.effect)
    row.add_row(Text(mark, style=_STYLES[change.effect]), said)
    return Padding(row, (0, 0, 0, 2))


def markdown(report: Report) -> str:
    """For a merge request. What stands in the policies is in code spans: it links and mentions nothing."""
    lines = [f"### Policies: {_code(report.old)} → {_code(report.new)}", "", f"**{report.summary}**"]
    for title, changes in report.sections():
        lines += ["", f"#### {title}", ""]
        for change in changes:
            effect = "" if change.effect is Effect.OTHER else f"**{change.effect}** "
            said = "".join(_code(part) if isinstance(part, Name) else part for part in change.words)
            place = change.new_at or change.old_at
            lines.append(f"- {effect}{_code(change.subject)} {said}{f' ({_code(place)})' if place else ''}")
            if report.patch and change.patch:
                lines += _fenced(change.patch)
    return "\n".join(lines) + "\n"


def _code(text: str) -> str:
    """A code span, as long backticks around it as it needs."""
    shown = visible(text, _LONG) or " "
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", shown)), default=0))
    space = " " if "`" in (shown[0], shown[-1]) else ""
    return f"{fence}{space}{shown}{space}{fence}"


def _fenced(patch: str) -> list[str]:
    lines = [*_lines(patch)]
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", "\n".join(lines))), default=0))
    return [f"  {line}" for line in (f"{fence}diff", *lines, fence)]


def _lines(patch: str) -> Iterator[str]:
    return (visible(line.expandtabs(4), _LONG) for line in patch.splitlines())
