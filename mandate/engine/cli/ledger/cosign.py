"""`mandate ledger cosign`."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import click

from ...configuration import Configuration
from ...report.visible import visible
from .. import files, options, witnesses
from ..witnesses import Witnesses


@click.command("cosign")
@click.argument("head", type=files.GIVEN)
@witnesses.required
@options.output
@options.configured
def command(head: Path, witnesses: Witnesses, output: str, configuration: Configuration) -> None:
    """Keep the signatures of witnesses under a head of the ledger.

    HEAD is what `ledger checkpoint` printed, with the lines below it that witnesses answered. From then on
    the head carries them.
    """
    from .... import composition
    from ...evidence import heads
    from ...evidence.log import note

    data = files.read(head, note.MAX_BYTES)
    with closing(composition.ledger(configuration, composition.signing_key(configuration))) as ledger:
        keys = composition.public_keys(configuration)
        witnessed = heads.kept(data, ledger.origin, keys, witnesses.keys, required=witnesses.required)
        new = heads.admit(ledger, witnessed, witnesses.keys)
    size = witnessed.checkpoint.size
    if output == "json":
        click.echo(json.dumps({"size": size, "added": [key.vkey for key in new]}, indent=2))
        return
    for key in new:
        click.echo(f"✓ {visible(key.name)} signed the head over {size:,} entries")
    if not new:
        click.echo(f"The head over {size:,} entries had these signatures already.")
