"""`mandate revoke`."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import click

from ..configuration import Configuration
from ..report.visible import visible
from . import consent, options

if TYPE_CHECKING:
    from ..evidence.keys import Signer


@click.command("revoke")
@click.argument("entry")
@options.reason
@consent.confirmed
@options.person
@options.output
@options.configured
def command(
    entry: str, reason: str, yes: bool, output: str, signer: Signer, configuration: Configuration
) -> int:
    """Take back an approval or a waiver, or withdraw an allow, signed with your own key.

    ENTRY is the id of an entry, its beginning, or its index: of an approval, a waiver, or a decision that
    allows. Anybody whom the policies know may do so. It stays so: what is to count again is signed again.
    """
    from ... import composition

    consent.refuse_silence(output, yes)
    with ExitStack() as stack:
        who = composition.consenting(configuration, signer, stack)
        found = composition.entry(configuration, entry)
        what = who.revocable(found)
        if output == "text":
            facts = (
                ("what", f"{what.kind}, {found.id}"),
                ("of", what.of),
                ("model", f"{what.model.uri}, sha256 {what.model.sha256}"),
                ("reason", reason),
            )
            if not consent.agreed("Revoke it?", facts, who=who, yes=yes):
                return consent.declined()
        receipt = who.revoke(found, reason=reason)
    if output == "json":
        consent.as_json(receipt, by=who.name, revoked=found.id, kind=what.kind, subject=what.model.uri)
    else:
        consent.done(receipt, f"{visible(who.name)} revoked the {what.kind} {found.id}")
    return 0
