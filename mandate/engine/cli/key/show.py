"""`mandate key show`."""

from __future__ import annotations

import json

import click

from ...configuration import Configuration
from ...errors import BadInput, UnknownSubject
from ...report.visible import visible
from .. import options
from .known import KnownKey, chosen, known_keys


@click.command("show")
@click.argument("fingerprint", required=False)
@options.output
@options.configured
def command(fingerprint: str | None, output: str, configuration: Configuration) -> None:
    """Print a public key in every form that somebody may want.

    FINGERPRINT is that of one of the ledger's keys, or its beginning; without it, the key that signs entries
    is shown. PEM is for Cosign and OpenSSL, the line of SSH for people, and the verifier key for those who
    check heads of the log (C2SP signed-note).
    """
    keys = known_keys(configuration)
    known = _signing(keys) if fingerprint is None else chosen(keys, fingerprint)
    forms = {
        "ssh": known.key.ssh,
        "vkey": _vkey(known, configuration.settings.ledger.name),
        "pem": known.key.pem.decode("ascii"),
    }
    if output == "json":
        click.echo(json.dumps({**known.to_json(), **forms}, indent=2))
        return
    click.echo(f"fingerprint  {known.key.keyid}")
    click.echo(f"algorithm    {known.key.algorithm}")
    click.echo(f"status       {known.status}")
    for ending in known.endings:
        click.echo(f"reason       {visible(ending.reason, 2000)}")
    click.echo(f"file         {known.shown_file}")
    click.echo(f"as in SSH    {forms['ssh']}")
    if forms["vkey"] is not None:
        click.echo(f"vkey         {visible(forms['vkey'], 2000)}")
    click.echo(f"\n{forms['pem']}", nl=False)


def _signing(keys: list[KnownKey]) -> KnownKey:
    for known in keys:
        if "entries" in known.signs:
            return known
    raise UnknownSubject(
        "the public key of the key that signs is not in the ledger's key folder",
        where="ledger.key",
        next_step="See `mandate key list`, and name one of them",
    )


def _vkey(known: KnownKey, origin: str) -> str | None:
    """The verifier key; `None` for a key that cannot sign heads."""
    from ...evidence.log.note import NoteKey

    try:
        return NoteKey.of(origin, known.key).vkey
    except BadInput:
        return None
