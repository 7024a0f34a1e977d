"""`mandate approvals`."""

from __future__ import annotations

import json
import sys

import click

from ..configuration import Configuration
from ..report.terminal import console
from ..report.visible import visible
from . import options


@click.command("approvals")
@click.argument("subject")
@options.output
@options.configured
def command(subject: str, output: str, configuration: Configuration) -> None:
    """List what people signed for a model version: approvals, waivers, and what was revoked.

    Whether they count is for the policies to say: `mandate check --what-if` tells.
    """
    from ... import composition

    with composition.model_registry(configuration) as registry:
        version = registry.resolve(subject)
    consents = composition.consents(configuration)
    approvals = consents.approvals(version.name, version.version)
    waivers = consents.waivers(version.name, version.version)
    if output == "json":
        document = {
            "subject": version.uri,
            "approvals": [each.model_dump(mode="json", exclude={"shown"}) for each in approvals],
            "waivers": [each.model_dump(mode="json") for each in waivers],
        }
        click.echo(json.dumps(document, indent=2))
        return
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for heading in ("", "who", "what", "artifact", "until", "revoked by"):
        table.add_column(heading, overflow="fold")
    for approval in approvals:
        what = f"approved as {approval.role}"
        row = (approval.approver, what, approval.subject_sha256[:12], "")
        table.add_row(str(approval.index), *map(visible, (*row, approval.revoked_by or "")))
    for waiver in waivers:
        ends = f"{waiver.expires:%Y-%m-%d}"
        row = (waiver.approver, f"waived {waiver.rule}", waiver.subject_sha256[:12], ends)
        table.add_row(str(waiver.index), *map(visible, (*row, waiver.revoked_by or "")))
    nothing = f"Nobody signed anything for {visible(version.uri)}."
    console(sys.stdout).print(table if approvals or waivers else nothing)
