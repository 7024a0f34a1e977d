"""`mandate serve`."""

from __future__ import annotations

from pathlib import Path

import click

from ..configuration import Configuration
from . import logs, options


@click.command("serve")
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="Processes that answer; each has an OPA of its own, unless opa.url names a sidecar.",
)
@click.option("--fd", type=int, hidden=True, help="The socket of the process that started this one.")
@click.option(
    "--measured",
    type=(click.Path(path_type=Path), int),
    hidden=True,
    help="Where this process measures together with others, and which of them it is.",
)
@click.option("--parent", type=int, hidden=True, help="The process that started this one, and ends it.")
@options.configured
def command(
    workers: int,
    fd: int | None,
    measured: tuple[Path, int] | None,
    parent: int | None,
    configuration: Configuration,
) -> int:
    """Answer over HTTP what `mandate check` answers here.

    Who may ask stands in callers.yaml, beside mandate.yaml: `mandate token` makes a token, and the lines for
    that list. The settings are those under `service` in mandate.yaml; unless service.listen says otherwise,
    it answers at http://127.0.0.1:8080. A signal ends it; what was begun by then is answered.
    """
    from ..service import libraries

    libraries.demand()
    from ...serving import serve
    from ..service import current, processes

    processes.go_on_in_a_child()
    processes.allow_connections()
    logs.serve(current.said)
    overrides = click.get_current_context().params["overrides"]
    return serve(
        configuration,
        workers=workers,
        overrides=overrides,
        inherited=fd,
        measured=measured,
        parent=parent,
    )
