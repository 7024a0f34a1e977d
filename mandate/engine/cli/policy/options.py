"""Options that several `mandate policy` commands have."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from ...configuration import FILE_NAME, LIBRARY, Configuration, find, load
from ...errors import BadConfiguration, OpaUnavailable
from ..options import configured

_Command = TypeVar("_Command", bound=Callable[..., Any])


def policies(wrapped: _Command) -> _Command:
    """Passes the `folders` with policies and the `opa` to ask about them: those of the nearest mandate.yaml;
    where there is none, the library alone and the OPA of this machine."""

    @policies_and_settings
    @functools.wraps(wrapped)
    def with_policies(*args: Any, configuration: Configuration | None, **kwargs: Any) -> Any:
        return wrapped(*args, **kwargs)

    return with_policies  # type: ignore[return-value]  # the decorators add an option, which types cannot say


def policies_and_settings(wrapped: _Command) -> _Command:
    """As `policies`, with the `configuration` too, which is `None` where there is no mandate.yaml."""

    @perhaps_configured
    @functools.wraps(wrapped)
    def with_policies(*args: Any, configuration: Configuration | None, **kwargs: Any) -> Any:
        from .... import composition, share

        folders = composition.policy_folders(configuration) if configuration else [share.policies()]
        opa = opa_of(configuration)
        return wrapped(*args, configuration=configuration, folders=folders, opa=opa, **kwargs)

    return with_policies  # type: ignore[return-value]  # the decorators add an option, which types cannot say


def perhaps_configured(wrapped: _Command) -> _Command:
    """Passes the `configuration` of the nearest mandate.yaml alone; `None` where there is none."""

    @click.option(
        "--config",
        "file",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        envvar="MANDATE_CONFIG",
        help=f"{FILE_NAME} to use.  [default: the nearest one; without one, the library alone]",
    )
    @functools.wraps(wrapped)
    def with_configuration(*args: Any, file: Path | None, **kwargs: Any) -> Any:
        file = file or _nearest()
        configuration = load(file, environment=os.environ) if file else None
        return wrapped(*args, configuration=configuration, **kwargs)

    return with_configuration  # type: ignore[return-value]  # the decorators add an option


def organisation(wrapped: _Command) -> _Command:
    """As `policies`, of an organisation only: passes its `configuration` too."""

    @configured
    @functools.wraps(wrapped)
    def with_policies(*args: Any, configuration: Configuration, **kwargs: Any) -> Any:
        from .... import composition

        folders = composition.policy_folders(configuration)
        opa = opa_of(configuration)
        return wrapped(*args, configuration=configuration, folders=folders, opa=opa, **kwargs)

    return with_policies  # type: ignore[return-value]  # the decorators add options, which types cannot say


def opa_of(configuration: Configuration | None) -> Path:
    """The `opa` to ask about policies. `BadConfiguration` if there is none."""
    from .... import composition
    from ...opa.locate import find_opa

    try:
        return composition.opa_program(configuration) if configuration else find_opa()
    except OpaUnavailable as error:  # nothing is judged here, so nothing is undecided
        raise BadConfiguration(error.what, where=error.where, next_step=error.next_step) from error


def own_root(configuration: Configuration) -> int:
    """The number of the last folder of policies that is your own. `BadConfiguration` if none is."""
    settings = configuration.settings.policies
    for number, setting in reversed([*enumerate(settings)]):
        if setting != LIBRARY and not configuration.path(setting).is_file():
            return number
    raise BadConfiguration(
        "no folder of policies is your own",
        where=configuration.document.where(("policies",)),
        next_step=f"Write policies: [{LIBRARY}, policies], and make the folder policies",
    )


def _nearest() -> Path | None:
    try:
        return find(Path.cwd())
    except BadConfiguration:
        return None
