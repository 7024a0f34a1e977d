"""`mandate ledger statement`."""

from __future__ import annotations

import json

import click

from ...configuration import Configuration
from .. import options


@click.command("statement")
@click.argument("decision")
@options.configured
def command(decision: str, configuration: Configuration) -> None:
    """Print a decision's in-toto Statement: the decision, the whole input, and what judged it."""
    from .... import composition

    payload = composition.recorded(configuration, decision).envelope.payload
    click.echo(json.dumps(json.loads(payload), indent=2))
