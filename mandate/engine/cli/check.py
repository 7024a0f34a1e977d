"""`mandate check`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..configuration import Configuration
from ..decision import Outcome
from ..gate import Answer, Facts
from ..report import report
from ..report.visible import visible
from . import attesting, options

if TYPE_CHECKING:
    from ..evidence.predicates.decision import RequestKey

EXIT_CODES = {Outcome.ALLOW: 0, Outcome.DENY: 1, Outcome.UNDECIDED: 3}


@click.command("check")
@click.argument("subject", required=False)
@click.option(
    "--input",
    "document",
    type=click.Path(path_type=Path),
    metavar="FILE|-",
    help="Judge this ready input document instead of collecting.",
)
@options.action
@options.environment
@click.option("--what-if", is_flag=True, help="Ask what would be decided: recorded as no more than that.")
@click.option(
    "--request-key",
    metavar="KEY",
    help="What this question is known by: asked again under it, it gets the answer that is on record.",
)
@click.option(
    "--attest",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Write signed attestations of the decision there: decision, vsa and svr.sigstore.json.",
)
@click.option("--fail-on-warn", is_flag=True, help="Exit 1 for a warning, too.")
@options.answer_format
@options.verbose
@options.configured
def command(
    subject: str | None,
    document: Path | None,
    action: str | None,
    environment: str | None,
    what_if: bool,
    request_key: str | None,
    attest: Path | None,
    fail_on_warn: bool,
    output: str,
    verbose: bool,
    configuration: Configuration,
) -> int:
    """Ask whether a model may pass, and record the answer.

    SUBJECT is a model version in the registry, models:/credit/3 or models:/credit@challenger. With --input
    the facts come from a document (- is standard input); they count as reported, not as measured, and the
    policies for production accept only what was measured.

    With --what-if, the exit codes are the same, and nothing is allowed.
    """
    from ... import composition

    if (subject is None) == (document is None):
        raise click.UsageError("Give either a SUBJECT or --input.")
    if attest is not None:
        attesting.refuse_leftovers(attest)
    question = {"action": action, "environment": environment}
    with composition.assembled(configuration) as mandate:
        facts: Facts
        if document is not None:
            claimed = mandate.claimed(document, **question, what_if=what_if)
            facts, about = claimed, {"input": claimed.sha256}
        else:
            registry = composition.model_registry(configuration)
            facts = mandate.collected(str(subject), registry, **question, what_if=what_if)
            about = {"subject": str(subject)}
        request = None
        if request_key is not None:
            asked = {**about, **question, "what_if": what_if}
            request = _request(request_key, asked)
        answer = mandate.gate.decide(facts, request=request, what_if=what_if)
    link = composition.documentation(configuration)
    report(output).write(answer, sys.stdout, verbose=verbose, link=link)
    if attest is not None and answer.receipt is not None:
        written = attesting.write(configuration, answer.receipt.id, attest)
        if output == "text":
            click.echo("".join(f"\n  wrote {visible(str(file), 400)}" for file in written))
    return exit_code(answer, fail_on_warn=fail_on_warn)


def _request(key: str, asked: Mapping[str, object]) -> RequestKey:
    """Under a name of its own, so that nobody takes the key of something else that is recorded once."""
    from pydantic import ValidationError

    from ..digests import document_sha256
    from ..evidence.predicates.decision import RequestKey

    try:
        return RequestKey(key=f"check:{key}", sha256=document_sha256(asked))
    except ValidationError as error:
        raise click.BadParameter("it is longer than 500 characters", param_hint="--request-key") from error


def exit_code(answer: Answer, *, fail_on_warn: bool = False) -> int:
    """0 allow, 1 deny (or a warning, where that is asked for), 3 undecided."""
    if answer.outcome is Outcome.ALLOW and fail_on_warn and answer.decision.warns:
        return EXIT_CODES[Outcome.DENY]
    return EXIT_CODES[answer.outcome]
