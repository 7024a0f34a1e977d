"""`mandate ledger grant`."""

from __future__ import annotations

import click

from ...configuration import Configuration
from ...report.visible import visible
from .. import options
from . import databases


@click.command("grant")
@databases.owners_url
@databases.writer
@databases.auditor
@options.configured
def command(url: str | None, writer: str | None, auditor: str | None, configuration: Configuration) -> None:
    """Let roles of PostgreSQL write or read the ledger, and no more: what else they may here is taken away.

    For the ledger's owner.
    """
    from ...evidence.sql import postgresql

    if writer is None and auditor is None:
        raise click.UsageError("Give --writer, --auditor or both.")
    postgresql.grant(databases.required(url, configuration), writer=writer, auditor=auditor)
    for role, may in ((writer, "append and read"), (auditor, "read")):
        if role is not None:
            click.echo(f"{visible(role)} may {may}, and no more")
