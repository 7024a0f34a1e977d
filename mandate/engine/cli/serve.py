"""`mandate serve`."""

from __future__ import annotations

import click

from ..configuration import Configuration
from . import options


@click.command("serve")
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="Processes that answer; each has an OPA of its own, unless opa.url names a sidecar.",
)
@click.option("--fd", type=int, hidden=True, help="The socket of the process that started this one.")
@options.configured
def command(workers: int, fd: int | None, configuration: Configuration) -> int:
    """Answer over HTTP what `mandate check` answers here.

    Who may ask stands in callers.yaml: `mandate token` makes a token, and the line for that list. The
    settings are those under `service` in mandate.yaml. A signal ends it; what was begun by then is answered.
    """
    from ...serving import serve

    return serve(configuration, workers=workers, inherited=fd)
