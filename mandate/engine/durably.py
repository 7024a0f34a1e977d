"""Writes a file so that it is there whole, or not at all, and stays there."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def write(file: Path, content: bytes, *, mode: int = 0o666, keep_mode: bool = False) -> None:
    """All or nothing: a reader sees the whole file, or what was there before. `OSError` as from `open`.

    When this returns, the file survives a loss of power. `mode`: who may do what with it, less the umask;
    with `keep_mode`, they may do what they may with the file that is there. A pipe or a device, such as
    `/dev/stdout`, is written to and stays what it is.
    """
    if file.exists() and not file.is_file():
        file.write_bytes(content)
        return
    with beside(file, content, mode=mode) as part:
        if keep_mode and file.exists():
            part.chmod(stat.S_IMODE(file.stat().st_mode))
        part.replace(file)
    sync(file.parent)


@contextmanager
def beside(file: Path, content: bytes, *, mode: int = 0o666) -> Iterator[Path]:
    """Another file with this content, on the disk already, to be put in the file's place; then it is gone."""
    part = unused(file)
    try:
        with open(part, "xb", opener=lambda path, flags: os.open(path, flags, mode)) as opened:
            opened.write(content)
            opened.flush()
            os.fsync(opened.fileno())
        yield part
    finally:
        part.unlink(missing_ok=True)


def unused(file: Path) -> Path:
    """A hidden name beside the file's, which nobody else takes."""
    # Not the process' number: two threads have the same one, and so have the processes of two containers.
    return file.with_name(f".{file.name}.{os.urandom(8).hex()}.part")


def sync(folder: Path) -> None:
    """Bring the folder to the disk: where a file is new, its name must be there, too."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
