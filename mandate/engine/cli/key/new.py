"""`mandate key new`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from ...report.visible import visible
from .. import options


@click.command("new")
@click.argument("path", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--passphrase",
    "locked",
    is_flag=True,
    help="Ask for a passphrase that locks it, or take MANDATE_KEY_PASSPHRASE or …_PASSPHRASE_FILE.",
)
@options.output
def command(path: Path, locked: bool, output: str) -> None:
    """Make an Ed25519 key at PATH, with its public key beside it (.pub).

    For a key in an ssh-agent, add the file with `ssh-add PATH` and name it ssh-agent:SHA256:…. Keys in a
    token or a service are made by its own tools. A .pub file in the ledger's key folder makes signatures of
    its key count; elsewhere it does not.
    """
    from ...evidence import keys
    from ...evidence.signers.secrets import Secrets

    public = keys.create(path, Secrets().new_passphrase(f"the new key {path}") if locked else b"").public_key
    made = {
        "file": str(path),
        "public_key": str(path.with_suffix(".pub")),
        "passphrase": locked,
        "keyid": public.keyid,
        "ssh": public.ssh,
    }
    if output == "json":
        click.echo(json.dumps(made, indent=2))
        return
    click.echo(f"wrote {visible(str(path))}{'' if locked else ', which whoever reads it can sign with'}")
    click.echo(f"wrote {visible(str(path.with_suffix('.pub')))}, for those who verify")
    click.echo(f"fingerprint  {public.keyid}")
    click.echo(f"as in SSH    {public.ssh}")
