"""`mandate certs ensure`."""

from __future__ import annotations

import json
import os
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .. import options

if TYPE_CHECKING:
    from ...issuing.ensuring import Ensured


@click.command("ensure")
@click.option(
    "--host",
    "hosts",
    multiple=True,
    required=True,
    metavar="NAME",
    help="A name or address under which the service is called, such as mandate.mandate.svc; may be repeated.",
)
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep them in this folder: ca.crt, ca.key, tls.crt, tls.key.",
)
@click.option("--secret", metavar="NAME", help="Keep them in this Secret of the namespace that this runs in.")
@click.option(
    "--webhook",
    "webhooks",
    multiple=True,
    metavar="NAME",
    help="A webhook configuration whose API server must believe them; may be repeated.",
)
@click.option(
    "--account",
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder with the account's token, ca.crt and namespace.  [default: where a Pod has it]",
)
@click.option(
    "--settle",
    type=click.FloatRange(0, 300),
    default=5.0,
    show_default=True,
    help="Seconds from telling API servers about a new authority to its first certificate.",
)
@click.option(
    "--renew", is_flag=True, help="Make another authority and certificate now, such as after a key was seen."
)
@options.output
def command(
    hosts: tuple[str, ...],
    folder: Path | None,
    secret: str | None,
    webhooks: tuple[str, ...],
    account: Path | None,
    settle: float,
    renew: bool,
    output: str,
) -> None:
    """Make the service's authority and certificate, or renew what is due. Run it once a day.

    Nobody who calls the service meets a certificate that it does not believe: an authority is made known
    before it issues anything, and the one before stays known while its certificate may be in use. Runs may
    overlap, and one that is cut off is continued by the next.
    """
    from ...issuing.cluster import ACCOUNT, Cluster
    from ...issuing.ensuring import Place, ensure
    from ...issuing.folder import FolderPlace
    from ...issuing.secret import SecretPlace

    if (folder is None) == (secret is None):
        raise click.UsageError("Give --folder or --secret.")
    if folder is not None and webhooks:
        raise click.UsageError("--webhook goes with --secret: nobody tells an API server about a folder.")
    with ExitStack() as stack:
        place: Place
        if folder is not None:
            place = kept = FolderPlace(folder)
            stack.enter_context(kept.locked())
        else:
            place = SecretPlace(Cluster.around(account or ACCOUNT, os.environ), secret or "", webhooks)
        # Nobody is told about a folder.
        pause = settle if folder is None else 0
        names = tuple(dict.fromkeys(hosts))
        ensured = ensure(
            place, names, clock=lambda: datetime.now(UTC), settle=lambda: time.sleep(pause), renew=renew
        )
    click.echo(_json(ensured) if output == "json" else _text(ensured))


def _text(ensured: Ensured) -> str:
    done = [f"✓ {what}" for what in ensured.done] or ["✓ nothing is due"]
    several = f", {ensured.believed} believed" if ensured.believed > 1 else ""
    return "\n".join(
        [
            *done,
            f"authority    expires {ensured.authority.expires:%Y-%m-%d}{several}",
            f"certificate  expires {ensured.certificate.expires:%Y-%m-%d}",
        ]
    )


def _json(ensured: Ensured) -> str:
    from ...issuing.pairs import fingerprint

    said = {
        name: {"sha256": fingerprint(pair.certificate), "expires": pair.expires.isoformat()}
        for name, pair in (("authority", ensured.authority), ("certificate", ensured.certificate))
    }
    return json.dumps({"done": ensured.done, "believed": ensured.believed, **said}, indent=2)
