"""`mandate promote`."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack, suppress
from io import StringIO

import click

from ..configuration import Configuration
from ..decision import Outcome
from ..errors import RegistryUnavailable
from ..report import report
from ..report.terminal import console
from ..report.visible import visible
from . import options
from .acting import Acted, act, moved
from .judging import exit_code


@click.command("promote")
@click.argument("subject")
@click.option("--alias", default="champion", show_default=True, help="The alias to move to the model.")
@options.environment
@options.output
@options.verbose
@options.configured
def command(
    subject: str,
    alias: str,
    environment: str | None,
    output: str,
    verbose: bool,
    configuration: Configuration,
) -> int:
    """Ask the gate, and move an alias to the model if it allows.

    The alias moves only after the decision is recorded, only to the very version that was judged, and only if
    it still names what it named then. What is intended is recorded before, and what became of it after.
    """
    from ... import composition
    from ..evidence.predicates.acts import VersionStated
    from ..lifecycle import plans

    acted = Acted()
    with composition.assembled(configuration) as mandate, ExitStack() as stack:
        registry = composition.model_registry(configuration)
        lifecycle = composition.lifecycle(configuration, registry, mandate.recorder, stack)
        former = None
        with suppress(RegistryUnavailable):  # the gate will say so, and have it recorded
            former = registry.alias(registry.model_of(subject), alias)
        facts = mandate.collected(subject, registry, action="promote", environment=environment)
        answer = mandate.gate.decide(facts)
        judged = answer.document.subject
        if answer.outcome is Outcome.ALLOW and answer.receipt is not None:
            decision = answer.receipt.id

            def plan() -> plans.Plan:
                return plans.promotion(
                    judged.name,
                    VersionStated(version=judged.version, sha256=judged.sha256),
                    alias,
                    former=former,
                    known=lifecycle.course(judged.name).digests,
                    environment=answer.document.request.environment,
                    decision=decision,
                    by=composition.caller(),
                )

            acted = act(lifecycle, plan)
    link = composition.documentation(configuration)
    if output == "json":
        text = StringIO()
        report(output).write(answer, text, verbose=verbose, link=link)
        alias_error = {"alias_error": str(acted.error)} if acted.error else {}
        done = {"alias": next(iter(acted.moves), None), "act": acted.document}
        click.echo(json.dumps(json.loads(text.getvalue()) | done | alias_error, indent=2))
        return acted.error.exit_code if acted.error else exit_code(answer)
    report(output).write(answer, sys.stdout, verbose=verbose, link=link)
    shown = console(sys.stdout)
    for move in acted.moves:
        shown.print(f"\n  {moved(move)}", style="green")
    if not acted.moves:
        shown.print(f"\n  the alias {visible(alias)} did not move", style="yellow")
    acted.show()
    if acted.error:
        raise acted.error
    return exit_code(answer)
