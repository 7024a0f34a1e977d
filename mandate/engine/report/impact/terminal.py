"""The impact for a person at a terminal: what is newly allowed comes first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, TextIO

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ...replay.difference import Json
from ...replay.summary import FLIPS, NEWLY_ALLOWED, Impact
from ..terminal import console
from ..visible import visible
from . import wording

_STYLES = {"allow_to_deny": "bold red"}
_LOUD = "bold white on red"
_OTHER = "bold yellow"
_MOST_ROWS = 15
_MOST_CAUSES = 3
_MOST_DAMAGED = 5
NO_OWNER = "no owner on record"


def write(impact: Impact, stream: TextIO) -> None:
    """The counts, a few flips of each kind with what made them flip, and whom they concern."""
    shown = console(stream)
    with shown.capture() as capture:
        shown.print(Group(*_parts(impact)))
    stream.write("".join(f"{line.rstrip()}\n" for line in capture.get().splitlines()))


def _parts(impact: Impact) -> Iterator[RenderableType]:
    yield Text()
    yield _heading(impact)
    yield Text()
    for count in FLIPS:
        if impact.counts[count]:
            yield from _flips(impact, count)
    if not any(impact.counts[count] for count in FLIPS):
        yield Text("  No decision flips.", "green")
    for label, count in (
        ("with other findings, and the same outcome", "other_findings"),
        ("the same", "same"),
    ):
        if impact.counts[count]:
            yield Text(f"  {impact.counts[count]:,} {label}")
    yield from _damaged(impact)
    totals = impact.totals
    for title, groups in (("model", totals.by_model), ("owner", totals.by_owner)):
        if groups:
            yield Text()
            yield Padding(_table(title, groups), (0, 0, 0, 2))
    remarks = [*wording.remarks(impact)]
    if remarks:
        yield Text()
        for remark in remarks:
            yield _item("·", Text(f"{remark}."), "dim")


def _heading(impact: Impact) -> RenderableType:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    judged = f"{wording.counted(impact.judged, 'decision')} of {visible(impact.origin)}"
    grid.add_row("  judged anew", f"{judged}, not all" if impact.interrupted else judged)
    for label, side in (("  base", impact.base), ("  changed", impact.changed)):
        grid.add_row(label, wording.side(side.label, side.revision, side.opa_version))
    return grid


def _flips(impact: Impact, count: str) -> Iterator[RenderableType]:
    heading = Text("  ")
    loud = count in NEWLY_ALLOWED
    style = _LOUD if loud else _STYLES.get(count, _OTHER)
    heading.append(f" {impact.counts[count]:,} {wording.HEADINGS[count]} ", style)
    if loud and impact.expectations:
        heading.append(f"  {wording.counted(impact.totals.unexpected, 'flip')} to allow unexpected")
    yield heading
    shown = impact.totals.shown[count]
    for flip in shown:
        yield Text()
        yield Padding(_flip(flip), (0, 0, 0, 4))
    if (more := impact.counts[count] - len(shown)) > 0:
        yield Text()
        yield Text(f"    … and {more:,} more: --output json lists all", "dim")
    yield Text()


def _flip(flip: Json) -> RenderableType:
    lines: list[RenderableType] = [
        Text(wording.who(flip), "bold"),
        Text(f"decision {visible(flip['id'])}, {visible(flip['recorded_at'])[:10]}", "dim"),
    ]
    causes = [*wording.causes(flip)]
    for cause in causes[:_MOST_CAUSES]:
        if cause.about:
            lines.append(Text(visible(cause.about)))
        if cause.before:
            lines.append(_item("-", Text(cause.before), "green"))
        if cause.after:
            lines.append(_item("+", Text(cause.after), "" if cause.before else "red"))
    if len(causes) > _MOST_CAUSES:
        lines.append(Text(f"… and {wording.counted(len(causes) - _MOST_CAUSES, 'cause')} more", "dim"))
    if expected := flip.get("expected"):
        lines.append(Text(f"expected: {visible(expected)}", "green"))
    return Group(*lines)


def _damaged(impact: Impact) -> Iterator[RenderableType]:
    if not (damaged := impact.counts["damaged"]):
        return
    noun = "entry" if damaged == 1 else "entries"
    yield Text()
    yield Text(f"  {damaged:,} damaged {noun}, not judged", "bold red")
    for number, each in enumerate(impact.found("damaged")):
        if number == _MOST_DAMAGED:
            yield Text(f"    … and {damaged - number:,} more: --output json lists all", "dim")
            break
        yield Text(f"    entry {each['index']}: {visible(each['what'], 400)}")


def _table(title: str, groups: Mapping[Any, Counter[str]]) -> RenderableType:
    table = Table(box=None, padding=(0, 3, 0, 0), header_style="dim")
    table.add_column(f"by {title}", overflow="fold")
    for column in (*wording.COLUMNS, "other"):
        table.add_column(column, justify="right")
    rows = sorted(groups.items(), key=lambda group: _rank(*group))
    for name, counts in rows[:_MOST_ROWS]:
        cells = [sum(counts[one] for one in ones) for ones in wording.COLUMNS.values()]
        cells.append(counts.total() - sum(cells))
        table.add_row(
            Text(NO_OWNER, "dim") if name is None else visible(str(name)),
            *(f"{cell:,}" if cell else "–" for cell in cells),
        )
    if len(rows) > _MOST_ROWS:
        table.add_row(Text(f"… and {len(rows) - _MOST_ROWS:,} more", "dim"))
    return table


def _rank(name: Any, counts: Counter[str]) -> tuple[int, int, str]:
    """Those with most that is newly allowed first."""
    return -sum(counts[one] for one in NEWLY_ALLOWED), -counts.total(), str(name)


def _item(mark: str, body: Text, style: str) -> RenderableType:
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_column(width=3, justify="right")
    grid.add_column(overflow="fold")
    grid.add_row(Text(mark, style), body)
    return grid
