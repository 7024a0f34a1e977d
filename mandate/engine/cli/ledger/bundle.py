"""`mandate ledger bundle`."""

from __future__ import annotations

import sys

import click

from ...configuration import Configuration
from .. import options
from ..attesting import DECISION, TYPES


@click.command("bundle")
@click.argument("decision")
@click.option(
    "--type",
    "kind",
    type=click.Choice(TYPES),
    default=DECISION,
    show_default=True,
    help="The decision as it was recorded, or a SLSA Verification Summary (vsa) or an in-toto Simple "
    "Verification Result (svr) of it, which the ledger's key signs now.",
)
@options.configured
def command(decision: str, kind: str, configuration: Configuration) -> None:
    """Print a decision as a Sigstore bundle, which cosign verifies offline."""
    from .... import composition
    from ...evidence.bundle import export

    record = composition.recorded(configuration, decision)
    envelope = record.envelope if kind == DECISION else composition.attestation(configuration, record, kind)
    sys.stdout.write(export(envelope).decode())
