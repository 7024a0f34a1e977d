"""`mandate ledger bundle`."""

from __future__ import annotations

import sys

import click

from ...configuration import Configuration
from .. import options
from ..attesting import DECISION, TYPES


@click.command("bundle")
@click.argument("entry")
@click.option(
    "--type",
    "kind",
    type=click.Choice(TYPES),
    default=DECISION,
    show_default=True,
    help="The entry as it was recorded, or, of a decision, a SLSA Verification Summary (vsa) or an in-toto "
    "Simple Verification Result (svr), which the ledger's key signs now.",
)
@options.configured
def command(entry: str, kind: str, configuration: Configuration) -> None:
    """Print an entry as a Sigstore bundle, which cosign verifies offline."""
    from .... import composition
    from ...evidence.bundle import export

    if kind == DECISION:
        envelope = composition.envelope(configuration, entry)
    else:
        record = composition.recorded(configuration, entry)
        envelope = composition.attestation(configuration, record, kind)
    sys.stdout.write(export(envelope).decode())
