"""`mandate token`."""

from __future__ import annotations

import json

import click

from . import options


@click.command("token")
@click.argument("name")
@click.option(
    "--role",
    "roles",
    multiple=True,
    required=True,
    type=click.Choice(["decider", "approver", "auditor", "operator", "metrics"]),
    help="What the caller may do; may be repeated.",
)
@options.output
def command(name: str, roles: tuple[str, ...], output: str) -> None:
    """Make a token for a caller of the service, and the lines for the list of callers.

    The token is shown once and kept nowhere: the list has a hash of it.
    """
    from ..service.access import tokens

    token, sha256 = tokens.new()
    if output == "json":
        caller = {"name": name, "roles": list(roles), "token_sha256": [sha256]}
        click.echo(json.dumps({"token": token, "caller": caller}, indent=2))
        return
    click.secho(token, bold=True)
    click.echo("\nGive it to the caller, who sends `Authorization: Bearer …`, or sets MANDATE_TOKEN.")
    click.echo("Add this to callers.yaml, beside mandate.yaml:\n")
    click.echo(f"- name: {json.dumps(name)}\n  roles: [{', '.join(roles)}]\n  token_sha256: [{sha256}]")
