"""`mandate ledger show`."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from ...configuration import Configuration
from ...report.visible import visible
from .. import options

if TYPE_CHECKING:
    from ...evidence.ledger import Stored


@click.command("show")
@click.option(
    "--last",
    "count",
    type=click.IntRange(1, 10_000),
    default=20,
    show_default=True,
    help="How many, the newest last.",
)
@options.output
@options.configured
def command(count: int, output: str, configuration: Configuration) -> None:
    """List the newest entries."""
    from .... import composition

    ledger = composition.ledger(configuration)
    entries = list(ledger.entries(max(0, ledger.count() - count)))
    if output == "json":
        click.echo(json.dumps([_listed(entry) for entry in entries], indent=2))
        return
    _table(entries)


def _listed(entry: Stored) -> dict[str, Any]:
    return {
        "index": entry.index,
        "id": entry.id,
        "recorded_at": entry.recorded_at,
        "outcome": entry.columns.outcome,
        "subject": entry.columns.subject,
        "kind": entry.kind,
        "leaf": entry.leaf.hex(),
    }


def _table(entries: list[Stored]) -> None:
    from rich.table import Table
    from rich.text import Text

    from ...report.terminal import console

    colours = {"allow": "green", "deny": "red", "undecided": "yellow"}
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for heading in ("", "recorded", "outcome", "subject", "id"):
        table.add_column(heading, overflow="fold", no_wrap=heading == "id")
    for entry in entries:
        outcome = entry.columns.outcome or "–"
        table.add_row(
            str(entry.index),
            entry.recorded_at[:19].replace("T", " "),
            Text(visible(outcome), colours.get(outcome, "")),
            visible(entry.columns.subject, 60),
            visible(entry.id),
        )
    console(sys.stdout).print(table if entries else "The ledger is empty.")
