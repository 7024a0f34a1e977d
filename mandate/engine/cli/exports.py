"""`mandate verify` of a whole export."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..report.visible import visible
from .sentences import point

if TYPE_CHECKING:
    from ..evidence.export.reading import ExportedLedger
    from ..evidence.proven import Trust
    from ..evidence.public_keys import Believed, PublicKey
    from ..evidence.verify import Report

_ARCHIVE = ".tar"
_FIGURES = "that the figures are true, or the times: they are what the signers stated"
_NEWEST = "that nothing was recorded since: hold the newest head of today against it"
_FORK = "that nobody was shown another log: no witness signed the head, or none was required"
_PEOPLE = "that the keys of people are theirs: the policies in the export say so, and no --signer was given"
_POLICIES = "that the policies that decided are all here: {count} of their revisions are not"


def is_export(path: Path) -> bool:
    """Whether this can only be an export: a folder, or an archive."""
    return path.is_dir() or path.suffix == _ARCHIVE


def believed(
    exported: ExportedLedger, own: Mapping[str, PublicKey], people: Mapping[str, PublicKey]
) -> Believed:
    """The ledger's `own` keys, and those of `people`; else those that the policies in it give people."""
    from ..evidence.public_keys import Believed
    from ..policy.people import keys_in

    @cache
    def by_policies(revision: str) -> Mapping[str, Mapping[str, PublicKey]]:
        for each, bundle in exported.policies():
            if each == revision:
                return keys_in(bundle, revision)
        return {}

    return Believed(own, lambda name, revision: people or by_policies(revision).get(name, {}))


def verify(path: Path, trust: Trust, output: str) -> int:
    """Verify the export by these keys, and print what was found: the exit code."""
    from ..evidence import verify as verification
    from ..evidence.export import places
    from ..evidence.export.reading import ExportedLedger
    from ..evidence.public_keys import keyring
    from .ledger import soundness

    with closing(ExportedLedger(places.source(str(path)))) as exported:
        people = keyring(*trust.people)
        own = {keyid: key for keyid, key in trust.signers.items() if keyid not in people}
        keys = believed(exported, own, people)
        checked = verification.verify(exported, keys, witnesses=trust.witnesses, required=trust.required)
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
    taken = (*(() if trust.people else (_PEOPLE,)), *(() if trust.required else (_FORK,)))
    for line in (_FIGURES, _NEWEST, *taken):
        point("·", "yellow", line)
    if missing:
        point("·", "yellow", _POLICIES.format(count=missing))
