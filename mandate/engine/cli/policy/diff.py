"""`mandate policy diff`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ...configuration import Configuration
from ...errors import BadPolicy
from ...report.visible import visible
from .options import policies_and_settings

if TYPE_CHECKING:
    from ...policy.build import Compiled
    from ...policy.revisions import Revision

_NOW = "the policies as they are now"


@click.command("diff")
@click.argument("old", default="HEAD", metavar="[OLD]")
@click.argument("new", required=False, metavar="[NEW]")
@click.option("--patch", is_flag=True, help="Show Rego that changed line by line, too.")
@click.option("--exit-code", is_flag=True, help="Exit 1 if there is a difference.")
@click.option(
    "--output",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    show_default=True,
    help="A report for people, one JSON document for programs, or a comment on a merge request.",
)
@policies_and_settings
def command(
    old: str,
    new: str | None,
    patch: bool,
    exit_code: bool,
    output: str,
    configuration: Configuration | None,
    folders: list[Path],
    opa: Path,
) -> int:
    """Say in a reviewer's words what changed from OLD to NEW, and what is tighter or looser by it.

    Each is a git ref (main, HEAD~3, v1.2, a commit), a folder, a mandate.yaml, a bundle, or a revision that
    was kept (sha256:…). OLD is HEAD unless given, NEW the policies as they are now. A ref comes before a
    folder of the same name: write ./main for the folder.
    """
    from ...policy import diff, revisions
    from ...report import policy_diff

    @contextmanager
    def at(reference: str | None) -> Iterator[Revision]:
        here = Path.cwd()
        if reference is None:
            yield revisions.Revision(_NOW, tuple(folders) if configuration else revisions.here(here))
            return
        settings = configuration.file if configuration else None
        store = configuration.state / "policies" if configuration else None
        with revisions.at(reference, folder=here, settings=settings, store=store) as revision:
            for note in revision.notes:
                click.echo(f"{visible(note, 500)}.", err=True)
            yield revision

    with at(old) as before, at(new) as after:
        sides = [_compiled(revision, opa) for revision in (before, after)]
    difference = diff.compare(*sides, opa=opa)
    report = policy_diff.Report(before.label, after.label, difference, patch)
    if output == "json":
        click.echo(json.dumps(policy_diff.document(report), indent=2))
    elif output == "markdown":
        click.echo(policy_diff.markdown(report), nl=False)
    else:
        policy_diff.write(report, sys.stdout)
    return 1 if exit_code and difference.changes else 0


def _compiled(revision: Revision, opa: Path) -> Compiled:
    """What the revision compiles to; errors say of which one they are."""
    from ...policy.build import compiled
    from ...policy.sources import read

    try:
        return compiled(read(revision.roots), opa=opa)
    except BadPolicy as error:
        where = f"{revision.label}: {error.where}" if error.where else revision.label
        raise BadPolicy(error.what, where=where, next_step=error.next_step) from error
