"""The ledger, written somewhere else and restored from there."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ..engine.configuration import Configuration
from ..engine.errors import BadConfiguration, BadPolicy
from ..engine.policy import bundle as policy_bundle
from . import process
from .ledgers import ledger, public_keys, recorder
from .policies import policy_store

if TYPE_CHECKING:
    from ..engine.evidence.export.exporting import Exported
    from ..engine.evidence.export.reading import ExportedLedger
    from ..engine.evidence.verify import Report


def export(
    configuration: Configuration,
    stack: ExitStack,
    where: str,
    retain_until: datetime | None,
    progress: Callable[[int, int], None],
) -> tuple[str, Exported, int | None]:
    """Export the ledger, and record that: where to, what was done, and the index of the entry, if any.

    `progress` is told how many entries of how many are done.
    """
    from ..engine.evidence.export import places
    from ..engine.evidence.export.exporting import Companions, export_and_state
    from ..engine.evidence.export.texts import texts
    from ..engine.evidence.predicates.export import ExportPredicate

    destination = places.destination(where, retain_until=retain_until)
    stack.callback(destination.close)
    store = ledger(configuration)
    stack.callback(store.close)

    def state(done: Exported) -> int:
        return (
            recorder(configuration, stack)
            .event(
                ExportPredicate,
                destination=destination.location,
                size=done.size,
                root=done.root,
                manifestSha256=done.manifest_sha256,
                by=process.caller(),
            )
            .index
        )

    companions = Companions(public_keys(configuration), texts(), partial(_past_policies, configuration))
    done, index = export_and_state(store, destination, companions, state, progress=progress)
    return destination.location, done, index


def _past_policies(configuration: Configuration, revision: str) -> bytes | None:
    try:
        kept = policy_bundle.past(revision, store=policy_store(configuration))
        return kept.path.read_bytes()
    except (BadPolicy, OSError):
        return None


def exported(configuration: Configuration, stack: ExitStack, where: str) -> ExportedLedger:
    """The export of this organisation's ledger. `BadConfiguration` if it is that of another one."""
    from ..engine.evidence.export import places
    from ..engine.evidence.export.reading import ExportedLedger

    found = ExportedLedger(places.source(where))
    stack.callback(found.close)
    if found.origin != configuration.settings.ledger.name:
        raise BadConfiguration(
            f"this is an export of {found.origin!a}, not of {configuration.settings.ledger.name!a}",
            where=found.location,
            next_step="Name the export of the right ledger, or correct ledger.name",
        )
    return found


@dataclass(frozen=True, slots=True)
class Restored:
    """A ledger that was restored."""

    into: str
    policies: tuple[str, ...]
    """The revisions of policies that are in the store now."""
    damaged: tuple[str, ...]
    """Those whose bundle in the export is not what its revision says."""


def restore(configuration: Configuration, lost: ExportedLedger, report: Report, into: str | None) -> Restored:
    """Restore the ledger, which was verified, and the policies into their store."""
    from ..engine.evidence.sql import restoring

    settings = configuration.settings.ledger
    root = bytes.fromhex(report.root or "")
    where = into or settings.url or str(configuration.path(settings.path))
    if where.startswith("postgresql://"):
        where = restoring.into_database(lost, where, root)
    else:
        restoring.into_file(lost, Path(where), root)
    kept: list[str] = []
    damaged: list[str] = []
    for revision, content in lost.policies():
        restored = policy_bundle.restore(revision, content, store=policy_store(configuration))
        (kept if restored else damaged).append(revision)
    return Restored(where, tuple(kept), tuple(damaged))
