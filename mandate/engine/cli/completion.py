"""`mandate completion`."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the script that completes commands in your shell.

    \b
    For bash, add this line to ~/.bashrc:
      eval "$(mandate completion bash)"
    """
    from . import cli

    kind = get_completion_class(shell)
    assert kind is not None  # noqa: S101  (the argument's choices are click's own)
    click.echo(kind(cli, {}, "mandate", "_MANDATE_COMPLETE").source())
