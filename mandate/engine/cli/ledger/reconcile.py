"""`mandate ledger reconcile`."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from ...configuration import Configuration
from ...report.terminal import console
from ...report.visible import visible
from .. import options

if TYPE_CHECKING:
    from ...evidence.predicates.acts import VersionStated
    from ...evidence.receipt import Receipt
    from ...lifecycle.course import Intent
    from ...lifecycle.reconciling import Reconciled, Unexplained


_BECAME = {"done": "it was done", "failed": "it failed", "abandoned": "nothing was changed"}


@click.command("reconcile")
@click.option(
    "--older-than",
    "seconds",
    type=click.IntRange(0),
    default=120,
    show_default=True,
    metavar="SECONDS",
    help="Settle acts that began so long ago; later ones may still be going on.",
)
@click.option(
    "--alias",
    "aliases",
    multiple=True,
    metavar="NAME",
    help="Look at aliases of this name only; may be repeated.  [default: at all]",
)
@click.option(
    "--explain",
    metavar="TEXT",
    callback=options.words,
    help="Record the moves that no entry explains, as they were found, with this explanation.",
)
@options.output
@options.configured
def command(
    seconds: int, aliases: tuple[str, ...], explain: str | None, output: str, configuration: Configuration
) -> int:
    """Compare the model registry with the ledger.

    An act that was cut off gets its result, from what the registry shows. Every alias that is not where the
    ledger says is named. Exits 1 if there is one that nobody explains.
    """
    from .... import composition
    from ...lifecycle import reconciling

    by = composition.caller()
    written: tuple[Receipt, ...] = ()
    with ExitStack() as stack:
        registry = stack.enter_context(composition.model_registry(configuration))
        recorder = composition.recorder(configuration, stack)
        store = stack.enter_context(composition.opened(configuration))
        before = composition.now() - timedelta(seconds=seconds)
        keys = composition.public_keys(configuration)
        found = reconciling.reconcile(registry, recorder, store, keys, before=before, by=by).only(aliases)
        if explain is not None:
            written = reconciling.explain(found.unexplained, registry, recorder, by=by, reason=explain)
    if output == "json":
        click.echo(json.dumps(_document(found, written), indent=2))
    else:
        _show(found, written)
    return 1 if found.unexplained and not written else 0


def _document(found: Reconciled, written: tuple[Receipt, ...]) -> dict[str, Any]:
    return {
        "settled": [
            {
                **_intent(each.intent),
                "outcome": each.seen.outcome.value,
                "error": each.seen.error,
                "result": {"index": each.result.index, "id": each.result.id},
            }
            for each in found.settled
        ],
        "under_way": [_intent(each) for each in found.under_way],
        "unexplained": [
            {
                "model": each.model,
                "alias": each.move.alias,
                "ledger": None if each.move.fromVersion is None else each.move.fromVersion.version,
                "registry": None if each.move.toVersion is None else each.move.toVersion.version,
            }
            for each in found.unexplained
        ],
        "recorded": [{"index": receipt.index, "id": receipt.id} for receipt in written],
    }


def _intent(intent: Intent) -> dict[str, Any]:
    predicate = intent.predicate
    return {
        "index": intent.index,
        "id": predicate.id,
        "action": predicate.ACTION,
        "subject": predicate.uri,
        "by": predicate.by,
    }


def _show(found: Reconciled, written: tuple[Receipt, ...]) -> None:
    shown = console(sys.stdout)
    for each in found.settled:
        words = f": {each.seen.error}" if each.seen.error else ""
        shown.print(
            f"✓ entry {each.intent.index}: {visible(each.intent.what, 400)}; "
            f"{_BECAME[each.seen.outcome.value]}{visible(words, 1000)} (entry {each.result.index})",
            style="green",
        )
    for intent in found.under_way:
        shown.print(f"· entry {intent.index}: {visible(intent.what, 400)}; it may still be going on")
    for move in found.unexplained:
        shown.print(f"✗ {_sentence(move)}", style="red")
    for receipt in written:
        shown.print(f"✓ recorded in entry {receipt.index}")
    if not (found.settled or found.under_way or found.unexplained):
        shown.print("✓ every alias is where the ledger says, and nothing was cut off", style="green")
    elif found.unexplained and not written:
        shown.print("  → Find out who moved them; `--explain TEXT` puts the moves on record")


def _sentence(found: Unexplained) -> str:
    name = f"models:/{found.model}@{found.move.alias}"
    said = _named(found.move.fromVersion)
    return f"{visible(name, 400)} names {_named(found.move.toVersion)}, and the ledger says {said}"


def _named(version: VersionStated | None) -> str:
    return "no version" if version is None else f"version {visible(version.version)}"
