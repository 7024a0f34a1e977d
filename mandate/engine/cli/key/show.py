"""`mandate key show`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import click

from ...configuration import Configuration
from ...errors import BadInput, UnknownSubject
from ...evidence import public_keys
from ...report.visible import visible
from .. import options
from .known import KnownKey, chosen, known_keys


@click.command("show")
@click.argument("key", metavar="[FINGERPRINT|FILE]", required=False)
@options.output
@options.configurable
def command(key: str | None, output: str, configuration: Callable[[], Configuration]) -> None:
    """Print a public key in every form that somebody may want.

    FINGERPRINT is that of one of the ledger's keys, or its beginning; without it, the key that signs entries
    is shown. FILE is the .pub file of any key, for which no mandate.yaml is needed. PEM is for Cosign and
    OpenSSL, the line of SSH for people/*.yaml, and the verifier key for those who check heads of the log
    (C2SP signed-note).
    """
    if key is not None and (file := Path(key)).is_file():
        _show_file(file, output)
        return
    loaded = configuration()
    keys = known_keys(loaded)
    known = _signing(keys) if key is None else chosen(keys, key)
    forms = {
        "ssh": known.key.ssh,
        "vkey": _vkey(known, loaded.settings.ledger.name),
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


def _show_file(file: Path, output: str) -> None:
    """The key in a file, of which no ledger has to know."""
    key = public_keys.load(file)
    shown = {"keyid": key.keyid, "algorithm": key.algorithm, "file": str(file), "ssh": key.ssh}
    pem = key.pem.decode("ascii")
    if output == "json":
        click.echo(json.dumps({**shown, "pem": pem}, indent=2))
        return
    click.echo(f"fingerprint  {key.keyid}")
    click.echo(f"algorithm    {key.algorithm}")
    click.echo(f"file         {visible(str(file), 400)}")
    click.echo(f"as in SSH    {key.ssh}")
    click.echo(f"\n{pem}", nl=False)


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
