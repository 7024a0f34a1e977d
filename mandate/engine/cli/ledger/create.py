"""`mandate ledger create`."""

from __future__ import annotations

import click

from ...configuration import Configuration
from ...report.visible import visible
from .. import options
from . import databases


@click.command("create")
@databases.owners_url
@databases.writer
@databases.auditor
@click.option(
    "--empty",
    is_flag=True,
    help="Record no opening: for `mandate ledger import`, which restores another one.",
)
@options.configured
def command(
    url: str | None, writer: str | None, auditor: str | None, empty: bool, configuration: Configuration
) -> None:
    """Make a new ledger where mandate.yaml says, or at --url, and record that it is opened.

    In PostgreSQL this is for the database's owner. Whoever records needs no more than the rights of --writer,
    and whoever verifies needs those of --auditor: set ledger.url to a URL with such a role. The password
    comes from the file that PGPASSFILE names.
    """
    from .... import composition

    if writer or auditor:
        databases.required(url, configuration)
    where = composition.create_ledger(configuration, url, writer=writer, auditor=auditor, opened=not empty)
    click.echo(f"created {visible(configuration.settings.ledger.name)} in {visible(where, 400)}")
    for role, may in ((writer, "append and read"), (auditor, "read")):
        if role is not None:
            click.echo(f"{visible(role)} may {may}, and no more")
