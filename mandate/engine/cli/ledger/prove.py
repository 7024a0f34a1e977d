"""`mandate ledger prove`."""

from __future__ import annotations

from pathlib import Path

import click

from ...configuration import Configuration
from .. import files, options


@click.command("prove")
@click.argument("decision")
@click.option(
    "--head",
    type=files.GIVEN,
    metavar="HEAD",
    help="A head of this ledger to prove it under, such as one that witnesses signed.  [default: the newest]",
)
@click.option("--out", "-o", type=files.WRITTEN, help="The file to write.  [default: standard output]")
@options.configured
def command(decision: str, head: Path | None, out: Path | None, configuration: Configuration) -> None:
    """Write what proves an entry into one file: the envelope, its inclusion proof and the signed head.

    DECISION is the id of a decision or of another entry, the beginning of it, or its index. Whoever gets the
    file checks it with `mandate verify`, or with cosign and any verifier of C2SP proofs.
    """
    from .... import composition
    from ...evidence import heads, proving
    from ...evidence.log import note

    ledger = click.get_current_context().with_resource(composition.opened(configuration))
    keys = composition.public_keys(configuration)
    under = None
    if head is not None:
        under = heads.kept(files.read(head, note.MAX_BYTES), ledger.origin, keys)
    files.write(proving.prove(ledger, decision, keys, under=under), out)
