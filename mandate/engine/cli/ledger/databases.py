"""Which database a command is about: what its owner says, or the settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from ...configuration import Configuration, holds_password
from ...errors import BadRequest

Command = Callable[..., Any]
_SCHEME = "postgresql://"


def _checked(_context: click.Context, _parameter: click.Parameter, url: str | None) -> str | None:
    if url is None:
        return None
    if not url.startswith(_SCHEME):
        raise click.BadParameter(f"it does not begin with {_SCHEME}")
    if holds_password(url):
        raise click.BadParameter(
            "everybody here sees the arguments of a process: put the password into the file that PGPASSFILE"
            " names"
        )
    return url


owners_url = click.option(
    "--url",
    metavar="URL",
    callback=_checked,
    help="The database as its owner reaches it, postgresql://owner@host/database.  [default: ledger.url]",
)
writer = click.option("--writer", metavar="ROLE", help="The role that may append and read, and no more.")
auditor = click.option("--auditor", metavar="ROLE", help="The role that may read, and no more.")


def required(url: str | None, configuration: Configuration) -> str:
    """The URL of the ledger. `BadRequest` if it is a file."""
    if (found := url or configuration.settings.ledger.url) is None:
        raise BadRequest(
            "this ledger is a file, which has no roles and is migrated when it is written to",
            where="ledger.path",
            next_step="Give --url, or set ledger.url",
        )
    return found
