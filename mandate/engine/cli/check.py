"""`mandate check`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from . import options

if TYPE_CHECKING:
    from ..configuration import Configuration
    from ..remote.client import Service


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
@click.option(
    "--proof",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    metavar="FILE",
    help="Write what proves the decision there, for `mandate verify`.",
)
@click.option("--fail-on-warn", is_flag=True, help="Exit 1 for a warning, too.")
@options.answer_format
@options.verbose
@options.elsewhere
@options.configurable
def command(
    server: Callable[[], Service] | None,
    configuration: Callable[[], Configuration],
    attest: Path | None,
    **asked: Any,
) -> int:
    """Ask whether a model may pass, and record the answer.

    SUBJECT is a model version in the registry, models:/credit/3 or models:/credit@challenger. With --input
    the facts come from a document (- is standard input); they count as reported, not as measured, and the
    policies for production accept only what was measured.

    With --what-if, the exit codes are the same, and nothing is allowed. With --server, a service answers,
    and no mandate.yaml is needed here; it exits 3 if that cannot be reached, or answers what cannot be
    believed.
    """
    if (asked["subject"] is None) == (asked["document"] is None):
        raise click.UsageError("Give either a SUBJECT or --input.")
    if server is None:
        from .judging import judge

        return judge(configuration(), **asked, attest=attest)
    if attest is not None or _names_settings():
        raise click.UsageError(
            "A service has settings and keys of its own: leave out --config, --set, --attest."
        )
    from .asking import ask

    return ask(server(), **asked)


def _names_settings() -> bool:
    source = click.get_current_context().get_parameter_source
    return ParameterSource.COMMANDLINE in (source("file"), source("overrides"))
