"""`mandate ledger`: reads the evidence, and verifies it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from ..configuration import Configuration
from ..report.visible import visible
from . import options

if TYPE_CHECKING:
    from ..evidence.ledger import Stored


@click.group("ledger")
def command() -> None:
    """Read and verify the recorded evidence."""


@command.command()
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
def show(count: int, output: str, configuration: Configuration) -> None:
    """List the newest entries."""
    from ... import composition

    ledger = composition.ledger(configuration)
    entries = list(ledger.entries(max(0, ledger.count() - count)))
    if output == "json":
        click.echo(json.dumps([_listed(entry) for entry in entries], indent=2))
        return
    _table(entries)


@command.command()
@options.output
@options.configured
def verify(output: str, configuration: Configuration) -> int:
    """Re-check every signature and digest, and say which entry is wrong.

    Exits 0 if the ledger is sound, 3 if it is not. Keep the head that `ledger checkpoint` prints where the
    ledger's writer cannot change it: only with it can you tell later that the newest entries were not
    removed, by `--since`.
    """
    from ... import composition
    from ..evidence import verify as verification

    ledger = composition.ledger(configuration)
    total = ledger.count()
    checked = verification.verify(ledger, composition.public_keys(configuration))
    report = verification.report(_with_progress(checked, total))
    if output == "json":
        found = [{"index": fault.index, "id": fault.id, "what": fault.what} for fault in report.faults]
        summary = {
            "sound": report.sound,
            "entries": report.entries,
            "wrong": report.wrong,
            "root": report.root,
        }
        click.echo(json.dumps({**summary, "origin": ledger.origin, "faults": found}, indent=2))
    else:
        for fault in report.faults:
            click.secho(f"✗ {visible(str(fault), 400)}", fg="red")
        if report.wrong > len(report.faults):
            click.echo(f"  … and {report.wrong - len(report.faults)} more")
        mark, colour = ("✓ sound", "green") if report.sound else ("✗ NOT sound", "red")
        click.secho(f"{mark}: ", fg=colour, bold=True, nl=False)
        click.echo(f"{report.entries:,} entries of {visible(ledger.origin)}, {report.wrong:,} faults")
        click.echo(f"root {report.root or 'unknown'}")
    return 0 if report.sound else 3


@command.command()
@click.argument("decision")
@options.configured
def bundle(decision: str, configuration: Configuration) -> None:
    """Print a decision as a Sigstore bundle, which cosign verifies offline."""
    from ... import composition
    from ..evidence.bundle import export

    sys.stdout.write(export(composition.recorded(configuration, decision).envelope).decode())


@command.command()
@click.argument("decision")
@options.configured
def statement(decision: str, configuration: Configuration) -> None:
    """Print a decision's in-toto Statement: the decision, the whole input, and what judged it."""
    from ... import composition

    payload = composition.recorded(configuration, decision).envelope.payload
    click.echo(json.dumps(json.loads(payload), indent=2))


def _with_progress(checked: Iterator[Any], total: int) -> Iterator[Any]:
    """The same, with a progress bar on standard error where a person waits for it."""
    if not sys.stderr.isatty():
        yield from checked
        return
    with click.progressbar(checked, length=total + 1, label="verifying", file=sys.stderr) as bar:
        yield from bar


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

    from ..report.terminal import console

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
