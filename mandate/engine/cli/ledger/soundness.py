"""What verification found, for people and for programs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from ...report.visible import visible

if TYPE_CHECKING:
    from ...evidence.verify import Checked, Report


def with_progress(checked: Iterator[Checked], total: int) -> Iterator[Checked]:
    """The same, with a progress bar on standard error where a person waits for it."""
    if not sys.stderr.isatty():
        yield from checked
        return
    with click.progressbar(checked, length=total + 1, label="verifying", file=sys.stderr) as bar:
        yield from bar


def document(report: Report, origin: str) -> dict[str, Any]:
    """The report as JSON."""
    return {
        "sound": report.sound,
        "entries": report.entries,
        "wrong": report.wrong,
        "root": report.root,
        "origin": origin,
        "faults": [{"index": fault.index, "id": fault.id, "what": fault.what} for fault in report.faults],
    }


def show(report: Report, origin: str) -> None:
    """Print the report."""
    for fault in report.faults:
        click.secho(f"✗ {visible(str(fault), 400)}", fg="red")
    if report.wrong > len(report.faults):
        click.echo(f"  … and {report.wrong - len(report.faults)} more")
    mark, colour = ("✓ sound", "green") if report.sound else ("✗ NOT sound", "red")
    click.secho(f"{mark}: ", fg=colour, bold=True, nl=False)
    click.echo(f"{report.entries:,} entries of {visible(origin)}, {report.wrong:,} faults")
    click.echo(f"root {report.root or 'unknown'}")
