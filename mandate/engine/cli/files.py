"""Files that a command reads or writes, where `-` or none is a standard stream."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from .. import durably
from ..errors import BadRequest

GIVEN = click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path)
WRITTEN = click.Path(dir_okay=False, writable=True, path_type=Path)

_STDIN = "-"


def read(file: Path, longest: int) -> bytes:
    """The file, up to one byte more than `longest`. `BadRequest` if it cannot be read."""
    try:
        if str(file) == _STDIN:
            return sys.stdin.buffer.read(longest + 1)
        with file.open("rb") as stream:
            return stream.read(longest + 1)
    except OSError as error:
        raise BadRequest(
            f"it cannot be read: {error.strerror}",
            where=str(file),
            next_step="Name a file that you may read",
        ) from error


def write(data: bytes, file: Path | None) -> None:
    """Write the whole file or nothing; `None` is standard output. `BadRequest` if it cannot be written."""
    if file is None:
        sys.stdout.write(data.decode())
        return
    try:
        durably.write(file, data)
    except OSError as error:
        raise BadRequest(
            f"it cannot be written: {error.strerror}",
            where=str(file),
            next_step="Name a file in a folder that you may write to",
        ) from error
