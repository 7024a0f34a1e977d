"""Entries of the ledger as a table for people, as CSV and as JSON. None of it is verified."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, TextIO

from .visible import visible

if TYPE_CHECKING:
    from ..evidence.ledger import Stored

_ACTS = ("promotion", "rollback", "retirement")
_COLOURS = {"allow": "green", "deny": "red", "undecided": "yellow"}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a cell begins with that a spreadsheet runs."""
_LONGEST = 10_000


def row(stored: Stored) -> dict[str, Any]:
    """An entry without its content, for programs."""
    columns = stored.columns
    return {
        "index": stored.index,
        "id": stored.id,
        "recorded_at": stored.recorded_at,
        "kind": stored.kind,
        "outcome": columns.outcome,
        "subject": columns.subject,
        "model": columns.model,
        "version": columns.version,
        "sha256": columns.sha256,
        "action": columns.action,
        "environment": columns.environment,
        "revision": columns.revision,
        "rules": _named(stored, "rule"),
        "controls": _named(stored, "control"),
        "people": _named(stored, "person"),
        "leaf": stored.leaf.hex(),
    }


def write_csv(entries: Iterable[Stored], file: TextIO) -> None:
    """One line an entry, below a line of headings; several names in a cell are divided by semicolons."""
    writer = csv.writer(file, lineterminator="\n")
    begun = False
    for stored in entries:
        cells = row(stored)
        if not begun:
            writer.writerow(cells)
            begun = True
        writer.writerow([_cell(value) for value in cells.values()])


def write_table(entries: Sequence[Stored], file: TextIO, *, empty: str) -> None:
    """The entries in the order given; `empty` is what to say if there is none."""
    from rich.table import Table
    from rich.text import Text

    from .terminal import console

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for heading in ("", "recorded", "what", "subject", "id"):
        table.add_column(heading, overflow="fold", no_wrap=heading in ("id", "what", "recorded"))
    for entry in entries:
        what = _what(entry)
        table.add_row(
            str(entry.index),
            entry.recorded_at[:19].replace("T", " "),
            Text(visible(what, 30), _COLOURS.get(what, "")),
            visible(entry.columns.subject, 60),
            visible(entry.id),
        )
    console(file).print(table if entries else empty)


def _what(entry: Stored) -> str:
    """A decision's outcome; of everything else, what it is, and of an act how far it came."""
    kind = entry.kind.rpartition("/attestations/")[2].partition("/")[0]
    outcome = entry.columns.outcome
    if outcome is None:
        return kind
    if kind == "decision":
        return outcome
    return f"{kind} {outcome}" if kind in _ACTS else kind


def _named(stored: Stored, kind: str) -> list[str]:
    return [mention.name for mention in stored.columns.mentions if mention.kind == kind]


def _cell(value: Any) -> str:
    text = "; ".join(value) if isinstance(value, list) else "" if value is None else str(value)
    shown = visible(text, _LONGEST)
    return f"'{shown}" if text.startswith(_FORMULA) else shown
