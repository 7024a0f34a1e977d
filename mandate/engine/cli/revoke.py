"""`mandate revoke`."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import click

from ..report.visible import visible
from . import consent, options, sides

if TYPE_CHECKING:
    from .sides import Open


@click.command("revoke")
@click.argument("entry")
@options.reason
@consent.confirmed
@options.output
@sides.side
def command(entry: str, reason: str, yes: bool, output: str, side: Open) -> int:
    """Take back an approval or a waiver, or withdraw an allow, signed with your own key.

    ENTRY is the id of an entry, its beginning, or its index: of an approval, a waiver, or a decision that
    allows. Anybody whom the policies know may do so. It stays so: what is to count again is signed again.

    With --server, a service shows the entry and records what you sign; with --out, it is written to a file.
    """
    consent.refuse_silence(output, yes)
    with ExitStack() as stack:
        opened = side(stack)
        who, found = opened.who, opened.entry(entry)
        what = who.revocable(found)
        if output == "text":
            facts = (
                ("what", f"{what.kind}, {found.id}"),
                ("of", what.of),
                ("model", f"{what.model.uri}, sha256 {what.model.sha256}"),
                ("reason", reason),
            )
            if not consent.agreed("Revoke it?", facts, side=opened, yes=yes):
                return consent.declined()
        signed = who.revoke(found, reason=reason)
    if output == "json":
        said = {"by": who.name, "revoked": found.id, "kind": what.kind, "subject": what.model.uri}
        consent.as_json(signed, opened, **said)
    else:
        consent.done(signed, f"{visible(who.name)} revoked the {what.kind} {found.id}")
    return 0
