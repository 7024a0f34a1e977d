"""`mandate policy docs`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from ...report.visible import visible
from .. import options
from .options import policies

_MARKDOWN = Path("policy-docs")
_SITE = Path("policy-site")


@click.command("docs")
@click.option(
    "--to",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help=f"Where to write.  [default: {_MARKDOWN}, or {_SITE} with --site]",
)
@click.option("--site", "as_site", is_flag=True, help="Write a static site with search instead of Markdown.")
@options.output
@policies
def command(folder: Path | None, as_site: bool, output: str, folders: list[Path], opa: Path) -> int:
    """Write a page for each rule, and lists of the rules by collection, control and threshold.

    Markdown that a Git forge shows or, with --site, HTML for a web server or a folder that people open. The
    same policies give the same bytes. Pages of rules that are gone are removed; a file that this command did
    not write is never touched.
    """
    from ...policy.build import compiled
    from ...policy.docs.folder import publish
    from ...policy.docs.library import library
    from ...policy.docs.pages import pages
    from ...policy.docs.site import site
    from ...policy.sources import read

    about = library(compiled(read(folders), opa=opa))
    written = pages(about)
    files = site(about, written) if as_site else {path: text.encode() for path, text in written.items()}
    folder = folder or (_SITE if as_site else _MARKDOWN)
    ended = publish(folder, files)
    first = folder / ("index.html" if as_site else "index.md")
    if output == "json":
        shown = {
            "start": str(first),
            "revision": about.revision,
            "files": ended.files,
            "changed": ended.changed,
            "removed": ended.removed,
            "kept": ended.kept,
        }
        click.echo(json.dumps(shown, indent=2))
        return 0
    for path in ended.removed:
        click.echo(f"removed {visible(path)}")
    for path in ended.kept:
        click.secho(f"kept {visible(path)}: somebody changed it; remove it by hand", fg="yellow")
    changed = f"{len(ended.changed):,} of {len(ended.files):,} files changed"
    click.echo(f"{changed} in {visible(str(folder))}. Begin with {visible(str(first))}")
    return 0
