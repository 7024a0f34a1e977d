"""`mandate witness`: for whoever vouches that a ledger shows everybody the same. It needs no ledger."""

from __future__ import annotations

import json
import time
from pathlib import Path

import click

from ..report.visible import visible
from . import files, options


@click.command("witness")
@click.argument("request", type=files.GIVEN)
@click.option(
    "--vkey",
    "vkeys",
    metavar="VKEY",
    multiple=True,
    required=True,
    help="The ledger's C2SP verifier key, which `mandate key show` prints there; may be repeated.",
)
@click.option(
    "--key", "uri", metavar="KEY", required=True, help="The witness's own key: a file, or ssh-agent:SHA256:…."
)
@click.option(
    "--name", required=True, metavar="NAME", help="The witness's own name, such as witness.example/audit."
)
@click.option(
    "--memory",
    type=files.WRITTEN,
    required=True,
    help="The file with the last head that this witness signed of this ledger.",
)
@options.output
def command(request: Path, vkeys: tuple[str, ...], uri: str, name: str, memory: Path, output: str) -> None:
    """Sign a head of somebody else's ledger, if it is proven to go on from the last one that was signed.

    REQUEST is what `mandate ledger checkpoint --since HEAD` printed there, HEAD being the file that --memory
    names here; the first time, it is what `ledger checkpoint` printed. The answer is a line to put below that
    head, for `mandate ledger cosign`. Exits 3 if the ledger did not only grow.
    """
    from ..evidence.log import note, witness
    from ..evidence.signers import secrets, signer
    from ..evidence.witnessing import Witness

    log = tuple(note.NoteKey.parse(vkey) for vkey in vkeys)
    asked = witness.parse(files.read(request, witness.MAX_BYTES))
    signing = Witness(name, signer(uri, secrets=secrets.Secrets(secrets.PERSON)), log, memory)
    vkey = signing.key.vkey
    answer = signing.answer(asked, int(time.time()))
    if output == "json":
        head = {"origin": answer.head.origin, "size": answer.head.size, "root": answer.head.root.hex()}
        click.echo(json.dumps({"head": head, "line": answer.line.decode(), "vkey": vkey}, indent=2))
        return
    files.write(answer.line, None)
    click.echo(f"✓ signed the head of {visible(answer.head.origin)}: {answer.head.size:,} entries", err=True)
    click.echo(f"  The verifier key is {visible(vkey, 2000)}", err=True)
