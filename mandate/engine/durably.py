"""Writes a file so that it is there whole, or not at all, and stays there."""

from __future__ import annotations

import os
from pathlib import Path


def write(file: Path, content: bytes, *, mode: int = 0o666) -> None:
    """All or nothing: a reader sees the whole file, or what was there before. `OSError` as from `open`.

    When this returns, the file survives a loss of power. `mode`: who may do what with it, less the umask.
    """
    # Not the process' number: two threads have the same one, and so have the processes of two containers.
    part = file.with_name(f".{file.name}.{os.urandom(8).hex()}.part")
    try:
        with open(part, "xb", opener=lambda path, flags: os.open(path, flags, mode)) as opened:
            opened.write(content)
            opened.flush()
            os.fsync(opened.fileno())
        part.replace(file)
        _sync(file.parent)
    finally:
        part.unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    """Where a file is new in its folder, the folder must be on the disk too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
