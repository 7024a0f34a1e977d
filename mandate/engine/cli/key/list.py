"""`mandate key list`."""

from __future__ import annotations

import json
import sys

import click

from ...configuration import Configuration
from ...report.visible import visible
from .. import options
from .known import KnownKey, known_keys


@click.command("list")
@options.output
@options.configured
def command(output: str, configuration: Configuration) -> None:
    """List the ledger's keys, and until which entry each may sign.

    The log says it: a key that was rotated or revoked in an entry signs nothing after it.
    """
    keys = known_keys(configuration)
    if output == "json":
        click.echo(json.dumps([known.to_json() for known in keys], indent=2))
    else:
        _table(keys)


def _table(keys: list[KnownKey]) -> None:
    from rich.table import Table
    from rich.text import Text

    from ...report.terminal import console

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for heading in ("fingerprint", "algorithm", "status"):
        table.add_column(heading, overflow="fold", no_wrap=heading == "fingerprint")
    for known in keys:
        colour = "red" if known.endings else "green" if known.signs else ""
        reasons = "".join(f"\n{visible(ending.reason, 200)}" for ending in known.endings)
        status = Text(known.status, colour).append(reasons, "dim")
        table.add_row(known.key.keyid, known.key.algorithm, status)
    console(sys.stdout).print(table)
