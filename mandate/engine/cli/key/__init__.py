"""`mandate key`: the keys that sign. One module a command."""

from __future__ import annotations

import click

from ..lazy import LazyGroup

_COMMANDS = {
    "new": "Make a key in a file, for a person or for the ledger.",
    "list": "List the ledger's keys, and until which entry each may sign.",
    "show": "Print a public key in every form that somebody may want.",
    "rotate": "Let another key take the place of the one that signs.",
    "revoke": "Say that a key must no longer be believed.",
}


@click.command(
    "key",
    cls=LazyGroup,
    package=__name__,
    modules=_COMMANDS,
    context_settings={"max_content_width": 100},
)
def command() -> None:
    """Make, show, rotate and revoke the keys that sign."""
