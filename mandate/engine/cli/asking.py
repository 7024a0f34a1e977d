"""`mandate check --server`: the same question to a service, and its answer in the same words.

A program that reads JSON waits for no more than that: what shows the answer to people is imported for people.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from ..remote import decisions
from ..remote.client import Service
from ..remote.decisions import Question
from ..report.visible import visible
from . import files

_EXIT_CODES = {"allow": 0, "deny": 1, "undecided": 3}
_LONGEST = 16 << 20


def ask(
    service: Service,
    *,
    subject: str | None,
    document: Path | None,
    action: str | None,
    environment: str | None,
    what_if: bool,
    request_key: str | None,
    proof: Path | None,
    fail_on_warn: bool,
    output: str,
    verbose: bool,
) -> int:
    """Ask the service, show its answer, and return the exit code."""
    if document is None:
        question = Question(action or "promote", environment or "production", what_if, subject=subject)
    else:
        where = "standard input" if str(document) == "-" else str(document)
        given = {"action": action, "environment": environment}
        question = Question.about(files.read(document, _LONGEST), where, **given, what_if=what_if)
    answer = decisions.ask(service, question, key=request_key, prove=proof is not None)
    proven = answer.pop("proof", None)
    _show(answer, service, output, verbose=verbose)
    if proof is not None and proven is not None:
        files.write(json.dumps(proven, indent=2, ensure_ascii=False).encode() + b"\n", proof)
        if output == "text":
            click.echo(f"\n  wrote {visible(str(proof), 400)}")
    warned = answer["outcome"] == "allow" and fail_on_warn and decisions.warns(answer)
    return _EXIT_CODES["deny" if warned else answer["outcome"]]


def _show(answer: dict[str, Any], service: Service, output: str, *, verbose: bool) -> None:
    if output == "json":
        click.echo(json.dumps(answer, indent=2))
        return
    from ..report import report
    from ..report.reading import read

    shown, link = read(answer, service.where)
    report(output).write(shown, sys.stdout, verbose=verbose, link=link)
