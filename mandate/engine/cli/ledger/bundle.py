"""`mandate ledger bundle`."""

from __future__ import annotations

import sys

import click

from ...configuration import Configuration
from .. import options


@click.command("bundle")
@click.argument("decision")
@options.configured
def command(decision: str, configuration: Configuration) -> None:
    """Print a decision as a Sigstore bundle, which cosign verifies offline."""
    from .... import composition
    from ...evidence.bundle import export

    sys.stdout.write(export(composition.recorded(configuration, decision).envelope).decode())
