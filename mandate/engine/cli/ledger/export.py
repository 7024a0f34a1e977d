"""`mandate ledger export`."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import click

from ...configuration import Configuration
from ...report.visible import visible
from .. import options

_STEP = 256
"""Entries between two words about how far it is."""
_LONGEST = 36_500
"""Days: what is locked for longer is locked by mistake."""


@click.command("export")
@click.argument("destination")
@click.option(
    "--retain-days",
    type=click.IntRange(1, _LONGEST),
    metavar="N",
    help="Lock what is added for so many days; for s3:// only.",
)
@click.option(
    "--retain-until",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DATE",
    help="Lock what is added until that day (UTC); for s3:// only.",
)
@options.output
@options.configured
def command(
    destination: str,
    retain_days: int | None,
    retain_until: datetime | None,
    output: str,
    configuration: Configuration,
) -> None:
    """Copy the evidence to where it can be verified without Mandate, and restored from.

    DESTINATION is a folder, a new file that ends in .tar, or s3://BUCKET/PREFIX of a bucket with object lock
    (add ?endpoint=https://… for a store that is not Amazon's). A folder and a bucket can be exported to
    again: what is new is added, and nothing that is there is ever changed. A run that was cut off goes on.
    """
    if retain_days is not None and retain_until is not None:
        raise click.UsageError("Give --retain-days or --retain-until, and not both.")
    if retain_days is not None:
        until: datetime | None = datetime.now(UTC) + timedelta(days=retain_days)
    else:
        until = None if retain_until is None else retain_until.replace(tzinfo=UTC)
    from .... import composition

    with ExitStack() as stack:
        where, done, index = composition.export(configuration, stack, destination, until, _tell)
    if output == "json":
        click.echo(
            json.dumps(
                {
                    "destination": where,
                    "origin": configuration.settings.ledger.name,
                    "size": done.size,
                    "root": done.root,
                    "added": done.added,
                    "files": done.files,
                    "recorded": index,
                    "retain_until": None if until is None else until.isoformat(timespec="seconds"),
                    "missing_policies": list(done.missing_policies),
                },
                indent=2,
            )
        )
        return
    click.secho("✓ exported: ", fg="green", bold=True, nl=False)
    click.echo(
        f"{done.size:,} entries of {visible(configuration.settings.ledger.name)} are in {visible(where)}"
    )
    click.echo(f"root {done.root}")
    if done.added:
        entries = f"{done.added:,} {'entry' if done.added == 1 else 'entries'}"
        stated = "" if index is None else f"; entry {index:,} says so"
        click.echo(f"new: {entries}, in {done.files:,} files{stated}")
    else:
        click.echo("nothing was new")
    if done.added and until is not None:
        click.echo(f"nobody can change or remove what was added before {until:%Y-%m-%d %H:%M} UTC")
    for revision in done.missing_policies:
        click.secho(
            f"! the policies {visible(revision, 80)} are not on this machine, nor in the export", fg="yellow"
        )


def _tell(done: int, of: int) -> None:
    """Say on a terminal how far it is."""
    if sys.stderr.isatty() and (done % _STEP == 0 or done == of):
        click.echo(f"\rexporting: {done:,} of {of:,} entries", err=True, nl=done == of)
