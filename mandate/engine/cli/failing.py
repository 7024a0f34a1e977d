"""What is printed when there is no answer."""

from __future__ import annotations

import json
import os
import traceback
from collections.abc import Sequence
from itertools import pairwise

import click

from ..errors import MandateError
from ..report.visible import visible

_TRACEBACK = "MANDATE_TRACEBACK"


def report_failure(error: Exception, arguments: Sequence[str]) -> int:
    """Say what went wrong and return the exit code: as a JSON document where JSON was asked for."""
    if not isinstance(error, MandateError):
        if os.environ.get(_TRACEBACK):
            traceback.print_exception(error)
        error = _internal(error)
    if _wants_json(arguments):
        failure = {
            "type": type(error).__name__,
            "what": error.what,
            "where": error.where,
            "next_step": error.next_step,
        }
        outcome = "undecided" if error.exit_code == MandateError.exit_code else None
        click.echo(json.dumps({"outcome": outcome, "error": failure}, indent=2))
    else:
        label = "undecided" if error.exit_code == MandateError.exit_code else "error"
        where = f"{visible(error.where, 400)}: " if error.where else ""
        click.secho(f"{label}: ", fg="red", bold=True, err=True, nl=False)
        click.echo(f"{where}{visible(error.what, 4000)}", err=True)
        if error.next_step:
            click.echo(f"  → {visible(error.next_step, 1000)}", err=True)
    return error.exit_code


def _wants_json(arguments: Sequence[str]) -> bool:
    return "--output=json" in arguments or ("--output", "json") in pairwise(arguments)


def _internal(error: Exception) -> MandateError:
    """An error that nobody foresaw. Its own text is kept back: it may quote somebody's data."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return MandateError(
        f"an internal error: {type(error).__name__} in {frame.name}, line {frame.lineno}",
        next_step=f"Set {_TRACEBACK}=1 for the details, and report it",
    )
