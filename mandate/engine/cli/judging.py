"""`mandate check` here: the gate, its ledger and its OPA are those of mandate.yaml."""

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
from . import attesting, files

if TYPE_CHECKING:
    from ..evidence.predicates.decision import RequestKey

EXIT_CODES = {Outcome.ALLOW: 0, Outcome.DENY: 1, Outcome.UNDECIDED: 3}


def judge(
    configuration: Configuration,
    *,
    subject: str | None,
    document: Path | None,
    action: str | None,
    environment: str | None,
    what_if: bool,
    request_key: str | None,
    attest: Path | None,
    proof: Path | None,
    fail_on_warn: bool,
    output: str,
    verbose: bool,
) -> int:
    """Ask the gate, show its answer, and return the exit code."""
    from ... import composition

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
    if answer.receipt is not None:
        written = [] if attest is None else attesting.write(configuration, answer.receipt.id, attest)
        if proof is not None:
            files.write(_proven(configuration, answer.receipt.id), proof)
            written.append(proof)
        if output == "text":
            click.echo("".join(f"\n  wrote {visible(str(file), 400)}" for file in written), nl=bool(written))
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


def _proven(configuration: Configuration, decision: str) -> bytes:
    from ... import composition
    from ..evidence import proving

    with composition.opened(configuration) as ledger:
        return proving.prove(ledger, decision, composition.public_keys(configuration))


def exit_code(answer: Answer, *, fail_on_warn: bool = False) -> int:
    """0 allow, 1 deny (or a warning, where that is asked for), 3 undecided."""
    if answer.outcome is Outcome.ALLOW and fail_on_warn and answer.decision.warns:
        return EXIT_CODES[Outcome.DENY]
    return EXIT_CODES[answer.outcome]
