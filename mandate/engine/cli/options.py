"""Options that several commands have."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ..action import Action
from ..report import FORMATS

if TYPE_CHECKING:
    from ..configuration import Configuration
    from ..evidence.keys import Signer
    from ..remote.client import Service

_MOST = 2000
"""Characters of what somebody writes for the record."""
_Command = TypeVar("_Command", bound=Callable[..., Any])


def settings_file(command: _Command) -> _Command:
    """Adds `--config`, and passes the `file` that it names."""
    return click.option(
        "--config",
        "file",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        envvar="MANDATE_CONFIG",
        help="mandate.yaml to use.  [default: the nearest one, here or above]",
    )(command)


def configured(command: _Command) -> _Command:
    """Adds `--config` and `--set`, and passes the loaded `configuration`."""

    @configurable
    @functools.wraps(command)
    def loaded(*args: Any, configuration: Callable[[], Configuration], **kwargs: Any) -> Any:
        return command(*args, configuration=configuration(), **kwargs)

    return loaded  # type: ignore[return-value]  # the decorators add options, which types cannot say


def configurable(command: _Command) -> _Command:
    """Adds `--config` and `--set`, and passes what loads the `configuration`, for whoever may need none."""

    @settings_file
    @click.option(
        "--set",
        "overrides",
        multiple=True,
        metavar="NAME=VALUE",
        help="Override a setting, such as opa.timeout=2; may be repeated.",
    )
    @functools.wraps(command)
    def given(*args: Any, file: Path | None, overrides: tuple[str, ...], **kwargs: Any) -> Any:
        def configuration() -> Configuration:
            # Here, because not every command has a configuration.
            from ..configuration import find, load

            return load(file or find(Path.cwd()), environment=os.environ, overrides=overrides)

        return command(*args, configuration=configuration, **kwargs)

    return given  # type: ignore[return-value]  # the decorators add options, which types cannot say


def elsewhere(command: _Command) -> _Command:
    """Adds `--server` and what belongs to it, and passes what gives the `server` to ask; `None` for none."""

    @click.option(
        "--server",
        "url",
        metavar="URL",
        envvar="MANDATE_SERVER",
        help="The address of the service of Mandate's that answers.",
    )
    @click.option(
        "--token-file",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        envvar="MANDATE_TOKEN_FILE",
        help="The token by which the service knows you.  [default: the variable MANDATE_TOKEN]",
    )
    @click.option(
        "--ca",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        envvar="MANDATE_SERVER_CA",
        help="A PEM file with the only authorities to trust for its certificate.",
    )
    @click.option(
        "--certificate",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        envvar="MANDATE_SERVER_CERTIFICATE",
        help="A PEM file with the certificate by which the service knows you.",
    )
    @click.option(
        "--certificate-key",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        envvar="MANDATE_SERVER_CERTIFICATE_KEY",
        help="The PEM file with its key.  [default: the certificate's file]",
    )
    @click.option(
        "--timeout",
        type=click.FloatRange(0, 3600, min_open=True),
        default=180.0,
        show_default=True,
        envvar="MANDATE_SERVER_TIMEOUT",
        help="Seconds for its answer, all attempts included.",
    )
    @click.option("--plain-http", is_flag=True, help="Send the token over http:// to another machine, too.")
    @functools.wraps(command)
    def asking(
        *args: Any,
        url: str | None,
        token_file: Path | None,
        ca: Path | None,
        certificate: Path | None,
        certificate_key: Path | None,
        timeout: float,
        plain_http: bool,
        **kwargs: Any,
    ) -> Any:
        def server() -> Service:
            from ..remote.client import Service

            token = os.environ.get("MANDATE_TOKEN") if token_file is None else _token(token_file)
            if certificate is None and certificate_key is not None:
                raise click.UsageError("Name with --certificate whose key that is.")
            shown = None if certificate is None else (certificate, certificate_key)
            return Service(str(url), seconds=timeout, token=token, ca=ca, certificate=shown, plain=plain_http)

        return command(*args, server=server if url else None, **kwargs)

    return asking  # type: ignore[return-value]  # the decorators add options, which types cannot say


def _token(file: Path) -> str:
    from ..errors import BadConfiguration

    try:
        return file.read_text(encoding="ascii").strip()
    except (OSError, ValueError) as error:
        raise BadConfiguration(
            "the token cannot be read",
            where=str(file),
            next_step="Name a file that holds nothing else",
        ) from error


def answer_format(command: _Command) -> _Command:
    """Adds `--output` with the formats in which an answer of the gate can be shown."""
    return _output(
        command, [*FORMATS], "A report for people, JSON for programs, or what CI and code hosts show."
    )


def output(command: _Command) -> _Command:
    """Adds `--output text|json`, for what is no answer of the gate."""
    return _output(command, ["text", "json"], "A report for people, or one JSON document for programs.")


def _output(command: _Command, formats: list[str], told: str) -> _Command:
    return click.option(
        "--output",
        type=click.Choice(formats),
        default="text",
        show_default=True,
        help=told,
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


def reason(command: _Command, *, required: bool = True) -> _Command:
    """Adds `--reason`, without which nothing is done if it is `required`."""
    return click.option(
        "--reason", required=required, metavar="TEXT", callback=words, help="Why: it is recorded."
    )(command)


def person(command: _Command) -> _Command:
    """Adds `--key` and `--public-key`, and passes the `signer` of whoever runs the command."""

    @personal
    @functools.wraps(command)
    def signing(*args: Any, signer: Callable[[], Signer], **kwargs: Any) -> Any:
        return command(*args, signer=signer(), **kwargs)

    return signing  # type: ignore[return-value]  # the decorators add options, which types cannot say


def personal(command: _Command) -> _Command:
    """Adds `--key` and `--public-key`, and passes what gives the `signer`, for whoever may need none."""

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
    def given(*args: Any, key: str, public_key: Path | None, **kwargs: Any) -> Any:
        def signer() -> Signer:
            from ..evidence import signers

            own = signers.secrets.Secrets(signers.secrets.PERSON)
            return signers.signer(key, public_key=public_key, secrets=own)

        return command(*args, signer=signer, **kwargs)

    return given  # type: ignore[return-value]  # the decorators add options, which types cannot say
