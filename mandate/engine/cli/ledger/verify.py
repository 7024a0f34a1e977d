"""`mandate ledger verify`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from ...configuration import Configuration
from ...report.visible import visible
from .. import files, options, witnesses
from ..witnesses import Witnesses


@click.command("verify")
@click.option(
    "--since",
    type=files.GIVEN,
    metavar="HEAD",
    help="A head that was kept elsewhere: the ledger must begin with the entries that it covers.",
)
@witnesses.required
@options.output
@options.configured
def command(since: Path | None, witnesses: Witnesses, output: str, configuration: Configuration) -> int:
    """Re-check every signature and digest, and say which entry is wrong.

    Exits 0 if the ledger is sound, 3 if it is not. Keep the head that `ledger checkpoint` prints where the
    ledger's writer cannot change it: only with it can you tell later that the newest entries were not
    removed, by `--since`. Where witnesses are given, they must have signed that head, or else the newest.
    """
    from .... import composition
    from ...evidence import heads
    from ...evidence import verify as verification
    from ...evidence.log import note

    ledger = composition.ledger(configuration)
    keys = composition.public_keys(configuration)
    kept, required = None, witnesses.required
    if since is not None:
        data = files.read(since, note.MAX_BYTES)
        head = heads.kept(data, ledger.origin, keys, witnesses.keys, required=witnesses.required)
        kept, required = head.checkpoint, 0
    total = ledger.count()
    checked = verification.verify(ledger, keys, since=kept, witnesses=witnesses.keys, required=required)
    report = verification.report(_with_progress(checked, total))
    if output == "json":
        found = [{"index": fault.index, "id": fault.id, "what": fault.what} for fault in report.faults]
        summary = {
            "sound": report.sound,
            "entries": report.entries,
            "wrong": report.wrong,
            "root": report.root,
            "since": kept and {"size": kept.size, "root": kept.root.hex()},
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
        if report.sound and kept is not None:
            click.echo(f"It begins with the {kept.size:,} entries of the head that was kept.")
    return 0 if report.sound else 3


def _with_progress(checked: Iterator[Any], total: int) -> Iterator[Any]:
    """The same, with a progress bar on standard error where a person waits for it."""
    if not sys.stderr.isatty():
        yield from checked
        return
    with click.progressbar(checked, length=total + 1, label="verifying", file=sys.stderr) as bar:
        yield from bar
