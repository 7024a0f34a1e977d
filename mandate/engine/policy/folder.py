"""The files of a folder: links lead nowhere outside, and nothing is waited for or read without end."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from ..errors import BadPolicy

_MAX_FILES = 100_000
"""At so many, it is no folder of policies."""


def is_file(path: Path) -> bool:
    """Whether it is a file, and not a folder, nor a path that cannot be."""
    try:
        return path.is_file()
    except OSError:
        return False


def files(root: Path, prefix: str = "") -> list[tuple[str, str]]:
    """Relative and real path of each file that is not hidden, in order. `BadPolicy` if it is no folder.

    `prefix` is what stands before relative paths in messages.
    """
    try:
        real = root.resolve(strict=True)
        found = _few(_walk(real, real, prefix, ()), root)
        return sorted((path.removeprefix(prefix), file) for path, file in found)
    except NotADirectoryError as failure:
        raise BadPolicy(
            "it is not a folder, and a bundle stands alone",
            where=str(root),
            next_step="Name folders of policies, or one bundle, which carries all its layers",
        ) from failure
    except FileNotFoundError as failure:
        raise BadPolicy(
            "there is no such folder", where=str(root), next_step="Create it, or correct its path"
        ) from failure
    except OSError as failure:
        raise BadPolicy(
            f"the folder cannot be read: {failure.strerror}",
            where=str(root),
            next_step="Check its permissions",
        ) from failure


def content(file: str, label: str, limit: int) -> bytes:
    """The bytes of a file, at most `limit` of them."""
    try:
        with open(file, "rb", opener=_without_waiting) as opened:
            status = os.fstat(opened.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise BadPolicy("it is not a regular file", where=label, next_step="Remove it")
            read = opened.read(limit + 1)
    except OSError as failure:
        raise BadPolicy(
            f"the file cannot be read: {failure.strerror}", where=label, next_step="Check its permissions"
        ) from failure
    if len(read) > limit:
        raise BadPolicy(f"the file is over {limit >> 20} MiB", where=label, next_step="Split it")
    return read


def _without_waiting(path: str, flags: int) -> int:
    """Open a named pipe without waiting for somebody to write to it."""
    return os.open(path, flags | os.O_NONBLOCK)


def _few(files: Iterator[tuple[str, str]], root: Path) -> Iterator[tuple[str, str]]:
    """As they come, up to a number at which this cannot be a folder of policies."""
    for number, file in enumerate(files):
        if number == _MAX_FILES:
            raise BadPolicy(
                f"the folder has more than {_MAX_FILES:,} files",
                where=str(root),
                next_step="Name the folder of policies, not one above it",
            )
        yield file


def _walk(
    root: str | Path, folder: str | Path, path: str, above: tuple[str, ...]
) -> Iterator[tuple[str, str]]:
    """Relative and real path of each file that is not hidden; a link may lead anywhere inside the root."""
    real = os.path.realpath(folder)
    if real in above:
        raise BadPolicy("a link leads to a folder around it", where=path.rstrip("/"), next_step="Remove it")
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            relative = f"{path}{entry.name}"
            if entry.is_symlink() and not Path(os.path.realpath(entry.path)).is_relative_to(root):
                raise BadPolicy(
                    "a link leads out of the folder of policies", where=relative, next_step="Put a copy there"
                )
            if entry.is_dir():
                yield from _walk(root, entry.path, f"{relative}/", (*above, real))
            else:
                yield relative, entry.path
