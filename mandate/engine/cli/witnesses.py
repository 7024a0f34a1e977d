"""The options by which a person says which witnesses count."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import click

from ..evidence.log.cosignature import WitnessKey

_Command = TypeVar("_Command", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Witnesses:
    """Whose signatures on a head count, and how many there must be."""

    keys: tuple[WitnessKey, ...] = ()
    required: int = 0


def required(command: _Command) -> _Command:
    """Adds `--witness` and `--witnesses`, and passes `witnesses`."""

    @click.option(
        "--witness",
        "witness_vkeys",
        metavar="VKEY",
        multiple=True,
        help="The verifier key of a witness whose signature on the head counts; may be repeated.",
    )
    @click.option(
        "--witnesses",
        "count",
        type=click.IntRange(0, 100),
        help="How many of these witnesses must have signed.  [default: all]",
    )
    @functools.wraps(command)
    def given(*args: Any, witness_vkeys: tuple[str, ...], count: int | None, **kwargs: Any) -> Any:
        if count is not None and count > len(witness_vkeys):
            raise click.UsageError(f"--witnesses {count} is more than the keys given with --witness.")
        keys = tuple(WitnessKey.parse(vkey) for vkey in witness_vkeys)
        return command(*args, witnesses=Witnesses(keys, len(keys) if count is None else count), **kwargs)

    return given  # type: ignore[return-value]  # the decorators add options, which types cannot say
