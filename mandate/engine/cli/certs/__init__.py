"""`mandate certs`: the certificates of the service. One module a command."""

from __future__ import annotations

import click

from ..lazy import LazyGroup

_COMMANDS = {"ensure": "Make the service's authority and certificate, or renew what is due."}


@click.command(
    "certs",
    cls=LazyGroup,
    package=__name__,
    modules=_COMMANDS,
    context_settings={"max_content_width": 100},
)
def command() -> None:
    """Make and renew the certificates of the service."""
