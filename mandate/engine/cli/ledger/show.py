"""`mandate ledger show`."""

from __future__ import annotations

import json
import sys

import click

from ...configuration import Configuration
from ...report import entries as listing
from .. import options


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

    ledger = click.get_current_context().with_resource(composition.opened(configuration))
    entries = list(ledger.entries(max(0, ledger.count() - count)))
    if output == "json":
        click.echo(json.dumps([listing.row(entry) for entry in entries], indent=2))
        return
    listing.write_table(entries, sys.stdout, empty="The ledger is empty.")
