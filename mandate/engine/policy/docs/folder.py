"""Writes files into a folder that may hold others' files as well.

A manifest lists what was written. No other file is ever replaced, and of those that it lists only one that
still has the bytes that were written is removed.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ... import durably
from ...digests import sha256
from ...errors import BadRequest

MANIFEST = ".mandate-docs.json"

_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Written:
    """What became of the files, by their paths in the folder."""

    files: tuple[str, ...]
    """All that belong there now."""
    changed: tuple[str, ...]
    """Those of them that are new or have other bytes than before."""
    removed: tuple[str, ...]
    """Files of an earlier run that are gone."""
    kept: tuple[str, ...]
    """Files of an earlier run that would be gone, but somebody changed them."""


def publish(folder: Path, files: Mapping[str, bytes]) -> Written:
    """Write these files, by their relative paths, and remove those of an earlier run that are not among them.

    `BadRequest`, before anything is written, if somebody else's file is in the way.
    """
    try:
        before = _read_manifest(folder)
        for path in (*files, *before):
            _refuse_obstacles(folder, path)
        _refuse_others(folder, files, before)
        digests = {path: sha256(content) for path, content in files.items()}
        # First of all, so that a run that is interrupted leaves nothing that the next one does not know.
        _write_manifest(folder, before | digests)
        changed = [path for path, content in files.items() if _write(folder / path, content)]
        gone = sorted(before.keys() - files.keys())
        kept = [path for path in gone if not _remove(folder, path, before[path])]
        _write_manifest(folder, digests)
    except OSError as failure:
        raise BadRequest(
            f"the pages cannot be written: {failure.strerror}",
            where=str(failure.filename or folder),
            next_step="Check the folder and its permissions, or name another one with --to",
        ) from failure
    removed = tuple(path for path in gone if path not in kept)
    return Written(tuple(sorted(files)), tuple(sorted(changed)), removed, tuple(kept))


def _read_manifest(folder: Path) -> dict[str, str]:
    file = folder / MANIFEST
    if not file.exists():
        return {}
    try:
        files = json.loads(file.read_bytes())["files"]
        if all(_inside(path) and _DIGEST.fullmatch(digest) for path, digest in files.items()):
            return dict(files)
    except (ValueError, KeyError, TypeError, AttributeError):
        pass
    raise BadRequest(
        "the list of what was written here cannot be read",
        where=str(file),
        next_step="Restore it, or name an empty folder with --to",
    )


def _inside(path: str) -> bool:
    parts = PurePosixPath(path).parts
    return bool(parts) and not path.startswith("/") and ".." not in parts and str(PurePosixPath(path)) == path


def _write_manifest(folder: Path, digests: Mapping[str, str]) -> None:
    content = {"written_by": "mandate policy docs", "files": dict(sorted(digests.items()))}
    _write(folder / MANIFEST, f"{json.dumps(content, indent=1)}\n".encode())


def _refuse_obstacles(folder: Path, path: str) -> None:
    """Nothing is written or removed through a link that leads elsewhere, nor in the place of a file."""
    for parent in PurePosixPath(path).parents[:-1]:
        there = folder / parent
        if os.path.lexists(there) and (there.is_symlink() or not there.is_dir()):
            raise BadRequest(
                "a file or link is in the way of the pages",
                where=str(there),
                next_step="Remove it, or name another folder with --to",
            )


def _refuse_others(folder: Path, files: Mapping[str, bytes], before: Mapping[str, str]) -> None:
    for path, content in files.items():
        file = folder / path
        known = path in before and not file.is_dir()
        if not known and os.path.lexists(file) and not _has(file, content):
            raise BadRequest(
                "this is not one of the pages that were written here, and is not overwritten",
                where=str(file),
                next_step="Move it, or name another folder with --to",
            )


def _has(file: Path, content: bytes) -> bool:
    return file.is_file() and not file.is_symlink() and file.read_bytes() == content


def _write(file: Path, content: bytes) -> bool:
    """Whether the file has changed."""
    if _has(file, content):
        return False
    file.parent.mkdir(parents=True, exist_ok=True)
    durably.write(file, content)
    return True


def _remove(folder: Path, path: str, digest: str) -> bool:
    """Whether it is gone, with the folders that it leaves empty."""
    file = folder / path
    if not os.path.lexists(file):
        return True
    if not file.is_file() or file.is_symlink() or sha256(file.read_bytes()) != digest:
        return False
    file.unlink()
    for parent in file.relative_to(folder).parents[:-1]:
        if any((folder / parent).iterdir()):
            break
        (folder / parent).rmdir()
    return True
