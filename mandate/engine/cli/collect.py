"""`mandate collect`."""

from __future__ import annotations

import click

from ..configuration import Configuration
from . import options


@click.command("collect")
@click.argument("subject")
@options.action
@options.environment
@options.configured
def command(subject: str, action: str | None, environment: str | None, configuration: Configuration) -> int:
    """Gather the facts about a model and print the input document.

    Nothing is judged and nothing recorded. The document fits `mandate check --input`, where its facts count
    as reported: whoever sends them answers for them. Exits 3 if a collector failed.
    """
    from ... import composition

    policies = composition.bundle(configuration)
    registry = composition.model_registry(configuration)
    facts = composition.collected(
        configuration, policies, subject, registry, action=action, environment=environment
    )
    document = facts.assemble(composition.now())
    click.echo(document.model_dump_json(indent=2))
    return 3 if any(entry.status == "failed" for entry in document.collection) else 0
