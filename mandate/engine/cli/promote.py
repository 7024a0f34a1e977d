"""`mandate promote`."""

from __future__ import annotations

import json
import sys
from io import StringIO

import click

from ..configuration import Configuration
from ..decision import Outcome
from ..errors import MandateError
from ..report import report
from ..report.terminal import console
from ..report.visible import visible
from . import options
from .check import exit_code


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

    The alias moves only after the decision is recorded, and only to the very version that was judged.
    """
    from ... import composition

    with composition.assembled(configuration) as mandate:
        registry = composition.model_registry(configuration)
        facts = mandate.collected(subject, registry, action="promote", environment=environment)
        answer = mandate.gate.decide(facts)
        moved: dict[str, str | None] | None = None
        failure: MandateError | None = None
        if answer.outcome is Outcome.ALLOW:
            judged = answer.document.subject
            try:
                before = registry.set_alias(judged.name, alias, judged.version)
            except MandateError as error:
                failure = error  # the recorded answer is given all the same, before the failure is
            else:
                moved = {"alias": alias, "from": before, "to": judged.version}
    link = composition.documentation(configuration)
    if output == "json":
        text = StringIO()
        report(output).write(answer, text, verbose=verbose, link=link)
        alias_error = {"alias_error": str(failure)} if failure else {}
        click.echo(json.dumps(json.loads(text.getvalue()) | {"alias": moved} | alias_error, indent=2))
        return failure.exit_code if failure else exit_code(answer)
    report(output).write(answer, sys.stdout, verbose=verbose, link=link)
    shown = console(sys.stdout)
    if moved is None:
        shown.print(f"\n  the alias {visible(alias)} did not move", style="yellow")
    else:
        former = f"was version {moved['from']}" if moved["from"] else "was not set"
        now = visible(answer.document.subject.version)
        shown.print(f"\n  the alias {visible(alias)} now names version {now} ({former})", style="green")
    if failure:
        raise failure
    return exit_code(answer)
