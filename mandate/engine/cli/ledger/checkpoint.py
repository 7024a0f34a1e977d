"""`mandate ledger checkpoint`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from ...configuration import Configuration
from .. import files, options


@click.command("checkpoint")
@click.option(
    "--since",
    type=files.GIVEN,
    metavar="HEAD",
    help="Put the proof before it that the ledger grew from this head, as a C2SP witness wants it.",
)
@click.option("--out", "-o", type=files.WRITTEN, help="The file to write.  [default: standard output]")
@options.output
@options.configured
def command(since: Path | None, out: Path | None, output: str, configuration: Configuration) -> None:
    """Print the newest signed head (C2SP tlog-checkpoint), to be kept out of the ledger's reach.

    In git, in a mail, with a witness: whoever has it can tell later, by `ledger verify --since`, that
    nothing was removed or rewritten.
    """
    from .... import composition
    from ...evidence import heads
    from ...evidence.log import checkpoint, note, witness

    ledger = click.get_current_context().with_resource(composition.opened(configuration))
    keys = composition.public_keys(configuration)
    newest = heads.newest(ledger, keys)
    old = None
    proof: tuple[bytes, ...] = ()
    if since is not None:
        old = heads.kept(files.read(since, note.MAX_BYTES), ledger.origin, keys).checkpoint
        proof = heads.growth(ledger, old)
    if output == "text":
        files.write(newest if old is None else witness.request(old.size, proof, newest), out)
        return
    head, signed = checkpoint.unverified(newest)
    document = {
        "origin": head.origin,
        "size": head.size,
        "root": head.root.hex(),
        "signatures": [{"name": made.name, "keyHash": made.key_hash.hex()} for made in signed.signatures],
        "checkpoint": newest.decode(),
        "growth": None if old is None else {"since": old.size, "proof": [one.hex() for one in proof]},
    }
    files.write(json.dumps(document, indent=2).encode() + b"\n", out)
