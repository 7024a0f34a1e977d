"""`mandate ledger`: reads the evidence, and verifies it. One module a command."""

from __future__ import annotations

import click

from ..lazy import LazyGroup

_COMMANDS = {
    "create": "Make a new ledger where mandate.yaml says.",
    "grant": "Let roles of PostgreSQL write or read the ledger.",
    "migrate": "Bring a ledger in PostgreSQL to this version's form.",
    "show": "List the newest entries.",
    "query": "Find entries by what they are about.",
    "verify": "Re-check every signature and digest, and say which entry is wrong.",
    "checkpoint": "Print the newest signed head, to be kept elsewhere.",
    "prove": "Write what proves an entry offline into one file.",
    "cosign": "Keep the signatures of witnesses under a head.",
    "reconcile": "Compare the registry with the ledger: acts that were cut off, moves nobody recorded.",
    "export": "Copy the evidence to where it can be verified and restored from.",
    "import": "Restore a ledger that was lost from an export.",
    "bundle": "Print an entry as a Sigstore bundle, which cosign verifies offline.",
    "statement": "Print what an entry states, as in-toto has it.",
}


@click.command(
    "ledger",
    cls=LazyGroup,
    package=__name__,
    modules=_COMMANDS,
    context_settings={"max_content_width": 100},
)
def command() -> None:
    """Read and verify the recorded evidence."""
