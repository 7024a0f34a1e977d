"""`mandate ledger migrate`."""

from __future__ import annotations

import click

from ...configuration import Configuration
from .. import options
from . import databases


@click.command("migrate")
@databases.owners_url
@options.configured
def command(url: str | None, configuration: Configuration) -> None:
    """Bring a ledger in PostgreSQL to this version's form. No entry is changed.

    For the ledger's owner. A ledger in a file is migrated when something is recorded in it.
    """
    from ...evidence.sql import postgresql

    steps = postgresql.migrate(databases.required(url, configuration))
    click.echo(f"migrated by {steps} steps" if steps else "The ledger has this version's form already.")
