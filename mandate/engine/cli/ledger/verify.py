"""`mandate ledger verify`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from ...configuration import Configuration
from .. import files, options, witnesses
from ..witnesses import Witnesses
from . import soundness


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

    ledger = click.get_current_context().with_resource(composition.opened(configuration))
    keys = composition.public_keys(configuration)
    kept, required = None, witnesses.required
    if since is not None:
        data = files.read(since, note.MAX_BYTES)
        head = heads.kept(data, ledger.origin, keys, witnesses.keys, required=witnesses.required)
        kept, required = head.checkpoint, 0
    total = ledger.count()
    checked = verification.verify(ledger, keys, since=kept, witnesses=witnesses.keys, required=required)
    report = verification.report(soundness.with_progress(checked, total))
    if output == "json":
        summary = soundness.document(report, ledger.origin)
        click.echo(
            json.dumps({**summary, "since": kept and {"size": kept.size, "root": kept.root.hex()}}, indent=2)
        )
    else:
        soundness.show(report, ledger.origin)
        if report.sound and kept is not None:
            click.echo(f"It begins with the {kept.size:,} entries of the head that was kept.")
    return 0 if report.sound else 3
