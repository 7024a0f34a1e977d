"""`mandate verify` of a whole export."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..report.visible import visible
from .sentences import point

if TYPE_CHECKING:
    from ..evidence.export.reading import ExportedLedger
    from ..evidence.proven import Trust
    from ..evidence.verify import Report

_ARCHIVE = ".tar"
_FIGURES = "that the figures are true, or the times: they are what the signers stated"
_NEWEST = "that nothing was recorded since: hold the newest head of today against it"
_FORK = "that nobody was shown another log: no witness signed the head, or none was required"
_POLICIES = "that the policies that decided are all here: {count} of their revisions are not"


def is_export(path: Path) -> bool:
    """Whether this can only be an export: a folder, or an archive."""
    return path.is_dir() or path.suffix == _ARCHIVE


def verify(path: Path, trust: Trust, output: str) -> int:
    """Verify the export by these keys, and print what was found: the exit code."""
    from ..evidence import verify as verification
    from ..evidence.export import places
    from ..evidence.export.reading import ExportedLedger
    from .ledger import soundness

    with closing(ExportedLedger(places.source(str(path)))) as exported:
        checked = verification.verify(
            exported, trust.signers, witnesses=trust.witnesses, required=trust.required
        )
        report = verification.report(soundness.with_progress(checked, exported.count()))
        foreign = _foreign(exported, trust)
        sound = report.sound and foreign is None
        if output == "json":
            document = soundness.document(report, exported.origin) | {"sound": sound}
            document["faults"] += [] if foreign is None else [{"index": None, "id": None, "what": foreign}]
            document["wrong"] += foreign is not None
            document["strangers"] = list(exported.strangers)
            click.echo(json.dumps(document, indent=2))
        elif foreign is None:
            soundness.show(report, exported.origin)
            _show(exported, report, trust)
        else:
            click.secho("✗ NOT sound: ", fg="red", bold=True, nl=False)
            click.echo(foreign)
    return 0 if sound else 3


def _foreign(exported: ExportedLedger, trust: Trust) -> str | None:
    """That the keys were given for a ledger of another name."""
    names = {key.name for key in trust.named}
    if trust.ledger or exported.origin in names:
        return None
    given = ", ".join(visible(name) for name in sorted(names))
    return f"this is an export of {visible(exported.origin)}, and the keys are those of {given}"


def _show(exported: ExportedLedger, report: Report, trust: Trust) -> None:
    for name in exported.strangers:
        point("!", "yellow", f"{visible(name, 100)} belongs to no snapshot, and was not looked at")
    if not report.sound:
        return
    click.echo("\nNot proven:")
    missing = len(exported.missing_policies)
    for line in (_FIGURES, _NEWEST, *(() if trust.required else (_FORK,))):
        point("·", "yellow", line)
    if missing:
        point("·", "yellow", _POLICIES.format(count=missing))
