"""Files that a command reads or writes, where `-` or none is a standard stream."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import click

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
        descriptor, draft = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            Path(draft).chmod(0o644)
            Path(draft).replace(file)
        except OSError:
            Path(draft).unlink()
            raise
    except OSError as error:
        raise BadRequest(
            f"it cannot be written: {error.strerror}",
            where=str(file),
            next_step="Name a file in a folder that you may write to",
        ) from error
