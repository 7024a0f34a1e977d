"""The OpenSSF Model Signing root digest of a folder of files."""

from __future__ import annotations

import os
from pathlib import Path

from mandate.engine.digests import file_sha256
from mandate.engine.errors import BadInput
from mandate.engine.input.registered import Artifact, ArtifactFile


def artifact(folder: Path, *, where: str) -> Artifact:
    """Digest every file below `folder`. `where` names the artifact in messages.

    The root digest is SHA-256 over the files' SHA-256 digests (32 bytes each), sorted by their paths'
    parts, as in the subject of an OpenSSF Model Signing v1.0 statement. Nothing is ignored: the signing
    library's own default leaves out files such as `.gitignore`, where something could hide. `BadInput` if
    there is a link or another special file, if a name is not text, or if there is no file at all.
    """
    sizes = plain_files(folder, where=where)
    if not sizes:
        raise BadInput("it has no files", where=where, next_step="Log the model again")
    return Artifact.of(
        ArtifactFile(path=path, sha256=file_sha256(folder / path), size=size) for path, size in sizes.items()
    )


def plain_files(folder: Path, *, where: str) -> dict[str, int]:
    """Each file's path relative to `folder`, with `/`, and its size in bytes.

    `BadInput` if anything at or below `folder` is not a plain file or folder: a link leads out of it.
    """
    if folder.is_symlink():
        raise _special(folder.name, where)
    sizes: dict[str, int] = {}
    for parent, folders, files in os.walk(folder, onerror=_raise):
        for name in (*folders, *files):
            entry = Path(parent, name)
            if not name.isprintable() or entry.is_symlink() or not (entry.is_file() or entry.is_dir()):
                raise _special(str(entry.relative_to(folder)), where)
        for name in files:
            entry = Path(parent, name)
            sizes[entry.relative_to(folder).as_posix()] = entry.stat().st_size
    return sizes


def _special(name: str, where: str) -> BadInput:
    return BadInput(
        f"{name!a} is a link, a special file or has a control character in its name",
        where=where,
        next_step="Log the model again, with plain files",
    )


def _raise(error: OSError) -> None:
    # os.walk would pass over a folder that it cannot read.
    raise error
