"""`mandate collect`."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from ..configuration import Configuration
from ..errors import CouldNotDecide
from ..report.visible import visible
from . import options

if TYPE_CHECKING:
    from ..evidence.keys import Signer
    from ..evidence.receipt import Receipt
    from ..remote.client import Service


@click.command("collect")
@click.argument("subject")
@options.action
@options.environment
@click.option("--push", is_flag=True, help="Sign the facts and send them ahead of the question.")
@options.personal
@options.output
@options.elsewhere
@options.configured
def command(
    subject: str,
    action: str | None,
    environment: str | None,
    push: bool,
    signer: Callable[[], Signer],
    output: str,
    server: Callable[[], Service] | None,
    configuration: Configuration,
) -> int:
    """Gather the facts about a model and print the input document.

    Nothing is judged and nothing recorded. The document fits `mandate check --input`, where its facts count
    as reported: whoever sends them answers for them. Exits 3 if a collector failed.

    With --push, a service of Mandate's gets the facts, signed with your own key, which the policies must
    know. They serve questions about the same files,
    action and environment for as long as the policies say, where these accept reported facts.
    """
    from ... import composition

    if push and server is None:
        raise click.UsageError("Say with --server where to send the facts.")
    policies = composition.bundle(configuration)
    registry = composition.model_registry(configuration)
    facts = composition.collected(
        configuration, policies, subject, registry, action=action, environment=environment, ahead=push
    )
    document = facts.assemble(composition.now())
    failed = [entry.name for entry in document.collection if entry.status == "failed"]
    if not push or server is None:
        click.echo(document.model_dump_json(indent=2))
        return 3 if failed else 0
    if failed:
        raise CouldNotDecide(
            f"nothing was sent, because these collectors failed: {', '.join(failed)}",
            where=subject,
            next_step="Run it without --push to see why",
        )
    from .handing_in import hand_in

    envelope = composition.signed_ahead(configuration, policies, document, signer())
    _show(hand_in(server(), "/v1/facts", envelope), output)
    return 0


def _show(receipt: Receipt, output: str) -> None:
    if output == "json":
        click.echo(json.dumps(receipt.model_dump(mode="json"), indent=2))
        return
    click.echo(f"  facts      {receipt.id}")
    click.echo(f"  recorded   entry {receipt.index} of {visible(receipt.origin)}")
    click.echo(f"  signed by  {receipt.keyid}")
