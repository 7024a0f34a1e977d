"""`mandate ledger statement`."""

from __future__ import annotations

import json

import click

from ...configuration import Configuration
from .. import options


@click.command("statement")
@click.argument("entry")
@options.configured
def command(entry: str, configuration: Configuration) -> None:
    """Print what an entry states, as in-toto has it: of a decision, its whole input and what judged it."""
    from .... import composition

    payload = composition.envelope(configuration, entry).payload
    click.echo(json.dumps(json.loads(payload), indent=2))
