"""`mandate ledger import`."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ...configuration import Configuration
from ...report.visible import visible
from .. import exports, files, options
from . import soundness

if TYPE_CHECKING:
    from ....composition import Restored


@click.command("import")
@click.argument("source")
@click.option(
    "--into",
    metavar="FILE|URL",
    help="A new file, or an empty ledger at postgresql://… .  [default: the ledger of mandate.yaml]",
)
@click.option(
    "--since",
    type=files.GIVEN,
    metavar="HEAD",
    help="A head that was kept elsewhere: the export must begin with the entries that it covers.",
)
@options.output
@options.configured
def command(
    source: str, into: str | None, since: Path | None, output: str, configuration: Configuration
) -> int:
    """Restore a ledger that was lost from what `mandate ledger export` wrote.

    SOURCE is a folder, a .tar, or s3://BUCKET/PREFIX. Everything is verified first, with the keys that lie
    beside the ledger's signing key (*.pub; those in the export are not believed), and nothing is restored
    unless all is sound. Entries and heads come back as they were, byte for byte. A ledger is never
    overwritten.

    Exits 0 if the ledger was restored, 3 if the export is not sound.
    """
    from .... import composition
    from ...evidence import heads
    from ...evidence import verify as verification
    from ...evidence.log import note

    keys = composition.public_keys(configuration)
    with ExitStack() as stack:
        exported = composition.exported(configuration, stack, source)
        kept = None
        if since is not None:
            kept = heads.kept(files.read(since, note.MAX_BYTES), exported.origin, keys).checkpoint
        checked = verification.verify(exported, exports.believed(exported, keys, {}), since=kept)
        report = verification.report(soundness.with_progress(checked, exported.count()))
        restored = composition.restore(configuration, exported, report, into) if report.sound else None
    if output == "json":
        document = soundness.document(report, exported.origin)
        document["restored"] = restored and {
            "into": restored.into,
            "policies": list(restored.policies),
            "damaged_policies": list(restored.damaged),
        }
        click.echo(json.dumps(document, indent=2))
    else:
        soundness.show(report, exported.origin)
        _show(restored, len(exported.strangers))
    return 0 if restored else 3


def _show(restored: Restored | None, strangers: int) -> None:
    if strangers:
        files, belong, were = ("file", "belongs", "was") if strangers == 1 else ("files", "belong", "were")
        click.echo(f"{strangers:,} other {files} there {belong} to no snapshot, and {were} not read")
    if restored is None:
        click.secho("✗ nothing was restored", fg="red", bold=True)
        return
    click.secho("✓ restored ", fg="green", bold=True, nl=False)
    count = len(restored.policies)
    revisions = f"{count} {'revision' if count == 1 else 'revisions'}"
    click.echo(f"into {visible(restored.into)}, and the policies of {revisions}")
    for revision in restored.damaged:
        click.secho(f"! the policies {visible(revision, 80)} are not what this revision says", fg="yellow")
