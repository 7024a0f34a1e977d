"""`mandate explain`."""

from __future__ import annotations

import sys

import click

from ..configuration import Configuration
from ..gate import Answer
from ..report import report
from . import options


@click.command("explain")
@click.argument("decision")
@options.answer_format
@options.configured
def command(decision: str, output: str, configuration: Configuration) -> None:
    """Show a recorded decision in full: what was judged, by which policies, on which facts.

    DECISION is the decision's id, the beginning of it, or its index in the ledger. Its signature is verified
    first.
    """
    from ... import composition

    record = composition.recorded(configuration, decision)
    answer = Answer(record.document, record.judgement, record.receipt, record.what_if)
    link = composition.documentation(configuration)
    report(output).write(answer, sys.stdout, verbose=True, link=link)
