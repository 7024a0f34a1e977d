"""Options that several commands have."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from ..report import FORMATS

_MOST = 2000
"""Characters of what somebody writes for the record."""
_Command = TypeVar("_Command", bound=Callable[..., Any])


def configured(command: _Command) -> _Command:
    """Adds `--config` and `--set`, and passes the loaded `configuration`."""

    @click.option(
        "--config",
        "file",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        envvar="MANDATE_CONFIG",
        help="mandate.yaml to use.  [default: the nearest one, here or above]",
    )
    @click.option(
        "--set",
        "overrides",
        multiple=True,
        metavar="NAME=VALUE",
        help="Override a setting, such as opa.timeout=2; may be repeated.",
    )
    @functools.wraps(command)
    def loaded(*args: Any, file: Path | None, overrides: tuple[str, ...], **kwargs: Any) -> Any:
        # Here, because not every command has a configuration.
        from ..configuration import find, load

        file = file or find(Path.cwd())
        configuration = load(file, environment=os.environ, overrides=overrides)
        return command(*args, configuration=configuration, **kwargs)

    return loaded  # type: ignore[return-value]  # the decorators add options, which types cannot say


def answer_format(command: _Command) -> _Command:
    """Adds `--output` with the formats in which an answer of the gate can be shown."""
    return _output(command, [*FORMATS])


def output(command: _Command) -> _Command:
    """Adds `--output text|json`, for what is no answer of the gate."""
    return _output(command, ["text", "json"])


def _output(command: _Command, formats: list[str]) -> _Command:
    return click.option(
        "--output",
        type=click.Choice(formats),
        default="text",
        show_default=True,
        help="A report for people, or one JSON document for programs.",
    )(command)


def environment(command: _Command) -> _Command:
    """Adds `--environment`."""
    return click.option(
        "--environment",
        "-e",
        metavar="NAME",
        help="Where the model would serve; the policies know the names.  [default: production]",
    )(command)


def action(command: _Command) -> _Command:
    """Adds `--action`."""
    from ..input import Action

    return click.option(
        "--action",
        "-a",
        type=click.Choice([action.value for action in Action]),
        help="What it is asked for.  [default: promote]",
    )(command)


def verbose(command: _Command) -> _Command:
    """Adds `--verbose`."""
    return click.option(
        "--verbose", "-v", is_flag=True, help="Show what passed, and where each fact came from."
    )(command)


def words(_: click.Context, parameter: click.Parameter, text: str | None) -> str | None:
    """A callback for what somebody writes for the record: not blank, and not a book."""
    if text is not None and not (text.strip() and len(text) <= _MOST):
        raise click.BadParameter(f"Write 1 to {_MOST} characters.", param=parameter)
    return text


def reason(command: _Command) -> _Command:
    """Adds `--reason`, without which nothing is done."""
    return click.option(
        "--reason", required=True, metavar="TEXT", callback=words, help="Why: it is recorded."
    )(command)


def person(command: _Command) -> _Command:
    """Adds `--key` and `--public-key`, and passes the `signer` of whoever runs the command."""

    @click.option(
        "--key",
        metavar="URI",
        envvar="MANDATE_PERSON_KEY",
        default="ssh-agent:",
        show_default="the only Ed25519 key of your ssh-agent",
        help="Your own signing key: a file, ssh-agent:SHA256:…, hsm:…, or a service.",
    )
    @click.option(
        "--public-key",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="The file with its public key, for a token or a service.",
    )
    @functools.wraps(command)
    def signing(*args: Any, key: str, public_key: Path | None, **kwargs: Any) -> Any:
        from ..evidence.signers import secrets, signer

        whose = signer(key, public_key=public_key, secrets=secrets.Secrets(secrets.PERSON))
        return command(*args, signer=whose, **kwargs)

    return signing  # type: ignore[return-value]  # the decorators add options, which types cannot say
