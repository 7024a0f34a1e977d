"""`mandate replay`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from ..configuration import Configuration
from . import options


@click.command("replay")
@click.argument("decision")
@click.option(
    "--opa",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="PROGRAM",
    help="Judge with this OPA, whatever its version.  [default: one of the version that judged]",
)
@options.output
@options.configured
def command(decision: str, opa: Path | None, output: str, configuration: Configuration) -> int:
    """Judge a recorded decision again, and hold the two against each other.

    The same input, policy revision and OPA give the same decision, byte for byte. The input is in the ledger,
    the policies are kept beside it; nothing depends on what the policies are now, and nothing is recorded.

    DECISION is the decision's id, the beginning of it, or its index in the ledger.

    Exits 0 if the decision is the same, 1 if it is another one, 2 if there is no such decision or if the
    policies or the OPA that judged it are no longer to be had.
    """
    from ... import composition
    from ..replay import again
    from ..report import replay as report

    recorded = composition.signed(configuration, decision)
    means = composition.means_of_replay(configuration, recorded, opa)
    replayed = None
    if means.suffice and means.bundle and means.opa:
        replayed = again.again(recorded, means.bundle, means.opa, timeout=configuration.settings.opa.timeout)
    if output == "json":
        click.echo(json.dumps(report.document(recorded, means, replayed), indent=2))
    else:
        report.write(recorded, means, replayed, sys.stdout)
    if replayed is None:
        return 2
    return 0 if replayed.same else 1
