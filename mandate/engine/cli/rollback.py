"""`mandate rollback`."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from ..configuration import Configuration
from ..decision import Outcome
from ..errors import BadRequest
from ..gate import Answer
from ..report import machine, report
from ..report.terminal import console
from ..report.visible import visible
from . import options
from .acting import Acted, act, moved
from .judging import exit_code

if TYPE_CHECKING:
    from ..lifecycle.registry import Registry

_ALIAS = "champion"
_ENVIRONMENT = "production"


@dataclass(frozen=True, slots=True)
class _Basis:
    """The decision that allows the version."""

    answer: Answer
    judged_now: bool


@click.command("rollback")
@click.argument("subject")
@click.option("--to", "version", required=True, metavar="VERSION", help="The version to go back to.")
@options.reason
@click.option(
    "--alias",
    metavar="NAME",
    help=f"The alias to move, where SUBJECT names a version.  [default: {_ALIAS}]",
)
@options.environment
@options.output
@options.verbose
@options.configured
def command(
    subject: str,
    version: str,
    reason: str,
    alias: str | None,
    environment: str | None,
    output: str,
    verbose: bool,
    configuration: Configuration,
) -> int:
    """Move an alias back to a version that is allowed.

    SUBJECT is what the alias names now: models:/credit@champion, or models:/credit/3 with --alias. A recorded
    allow for the very files of VERSION suffices, unless the artifact was denied or retired since: nothing is
    judged then, and no OPA is needed. Without one, the gate is asked.
    """
    from ... import composition
    from ..evidence.predicates.acts import VersionStated
    from ..lifecycle import plans

    by, acted = composition.caller(), Acted()
    environment = _ENVIRONMENT if environment is None else environment
    with ExitStack() as stack:
        registry = stack.enter_context(composition.model_registry(configuration))
        name, moving, former = _moving(registry, subject, alias)
        target = registry.resolve(f"models:/{name}/{version}")
        recorder = composition.recorder(configuration, stack)
        lifecycle = composition.lifecycle(configuration, registry, recorder, stack)
        course = lifecycle.course(name)
        found = lifecycle.standing(
            course, uri=target.uri, sha256=registry.digest(target.uri), environment=environment
        )
        if found.record is not None:
            record = found.record
            basis = _Basis(Answer(record.document, record.judgement, record.receipt), judged_now=False)
        else:
            with composition.assembled(configuration) as mandate:
                facts = mandate.collected(target.uri, registry, action="promote", environment=environment)
                basis = _Basis(mandate.gate.decide(facts), judged_now=True)
        answer = basis.answer
        if answer.outcome is Outcome.ALLOW and answer.receipt is not None:
            judged, decision = answer.document.subject, answer.receipt.id

            def plan() -> plans.Plan:
                return plans.rollback(
                    name,
                    VersionStated(version=judged.version, sha256=judged.sha256),
                    moving,
                    former=former,
                    known=course.digests,
                    environment=environment,
                    decision=decision,
                    by=by,
                    reason=reason,
                )

            acted = act(lifecycle, plan)
    if output == "json":
        click.echo(json.dumps(_document(basis, acted, configuration), indent=2))
        return acted.error.exit_code if acted.error else exit_code(answer)
    if basis.judged_now:
        link = composition.documentation(configuration)
        report(output).write(answer, sys.stdout, verbose=verbose, link=link)
    _show(basis, acted, moving, found.why_not)
    if acted.error:
        raise acted.error
    return exit_code(answer)


def _moving(registry: Registry, subject: str, alias: str | None) -> tuple[str, str, str]:
    """The model, the alias to move, and the version that it names now."""
    now = registry.resolve(subject)
    named = registry.alias_of(subject)
    if named is not None and alias not in (None, named):
        raise BadRequest(
            f"SUBJECT is the alias {named}, and --alias is {alias}", next_step="Leave --alias out"
        )
    moving = named or alias or _ALIAS
    former = registry.aliases(now.name).get(moving)
    if former != now.version:
        raise BadRequest(
            f"the alias {moving} names {former or 'no version'}, and not {now.version}",
            where=subject,
            next_step="Name what is in service now: models:/<name>@<alias>",
        )
    return now.name, moving, now.version


def _document(basis: _Basis, acted: Acted, configuration: Configuration) -> dict[str, Any]:
    from ... import composition

    receipt = basis.answer.receipt
    rests_on = {
        "decision": receipt.id if receipt else None,
        "index": receipt.index if receipt else None,
        "judged_now": basis.judged_now,
    }
    alias_error = {"alias_error": str(acted.error)} if acted.error else {}
    done = {"rests_on": rests_on, "alias": next(iter(acted.moves), None), "act": acted.document}
    return machine.document(basis.answer, composition.documentation(configuration)) | done | alias_error


def _show(basis: _Basis, acted: Acted, alias: str, why_judged: str) -> None:
    shown, answer = console(sys.stdout), basis.answer
    shown.print()
    if basis.judged_now:
        shown.print(f"  judged now, because {visible(why_judged, 400)}", style="dim")
    elif answer.receipt is not None:
        request = answer.document.request
        shown.print(
            f"  rests on decision {answer.receipt.id}, entry {answer.receipt.index}:\n  "
            f"allowed for {visible(request.environment)} on {request.time:%Y-%m-%d}, "
            f"asked by {visible(request.requested_by)}"
        )
    for move in acted.moves:
        shown.print(f"  {moved(move)}", style="green")
    if not acted.moves:
        shown.print(f"  the alias {visible(alias)} did not move", style="yellow")
    acted.show()
