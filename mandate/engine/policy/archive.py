"""The archive of a bundle: the same entries always make the same bytes, and no other bytes are read.

A gzip file of *stored* blocks around a USTAR archive. Compressing would save little and cost two things:
what a compressor writes depends on its version, and what unpacks to more than it weighs has to be feared.
Entries have relative paths, the mode 0644, no owner and no time.

`unpack` takes only what `pack` could have written, to the byte. So there is nothing in an archive (links,
second entries of one name, extended headers, bytes after the end) that two readers could understand
differently, one that verifies the signature and one that reads what was signed.
"""

from __future__ import annotations

import io
import struct
import tarfile
import zlib
from collections.abc import Mapping
from pathlib import Path

from ..errors import BadPolicy

MAX_BYTES = 32 << 20
"""The largest archive, and the most that is unpacked of one."""

SUFFIX = ".tar.gz"

DATA = "data.json"
"""The first entry: whoever wants nothing else reads no further."""
LAST = "sources.json"
"""The last entry."""

_BLOCK = 0xFFFF
_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
_GZIP = 31
_MODE = 0o644
_MAKE_IT_AGAIN = "Get the file again, or make it with `mandate policy bundle`"


def pack(entries: Mapping[str, bytes]) -> bytes:
    """The archive of these entries, by their paths. `BadPolicy` for a path that is too long for it."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for path in sorted(entries, key=lambda path: (path != DATA, path == LAST, path)):
            about = tarfile.TarInfo(path)
            about.size, about.mode = len(entries[path]), _MODE
            try:
                archive.addfile(about, io.BytesIO(entries[path]))
            except ValueError as error:
                raise BadPolicy(
                    "the path is too long for a bundle", where=path, next_step="Shorten it"
                ) from error
    return _stored(packed.getvalue())


def unpack(content: bytes) -> dict[str, bytes]:
    """The entries of an archive by their paths. `BadPolicy` for all that `pack` does not write."""
    unpacked = _unzipped(content)
    entries: dict[str, bytes] = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(unpacked), mode="r:", errorlevel=2) as archive:
            for about in archive:
                path = _new_path(about, entries)
                entries[path] = _read(archive, about)
    except (tarfile.TarError, ValueError, OverflowError, EOFError) as error:
        raise _refused("it is not a bundle: there is no archive in it") from error
    if pack(entries) != content:
        raise _refused("the archive is not as `mandate policy bundle` writes it")
    return entries


def first(content: bytes, path: str) -> bytes:
    """One entry of an archive that is trusted, without a look at what follows. `KeyError` if there is none.

    The archives of OPA itself, in which paths begin with `/`, are read too.
    """
    with tarfile.open(fileobj=io.BytesIO(content), mode="r|gz") as archive:
        for about in archive:
            if about.name.removeprefix("/") == path:
                return _read(archive, about)
    raise KeyError(path)


def read(path: Path) -> bytes:
    """The file's bytes. `BadPolicy` if it cannot be read, or is larger than an archive may be."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise BadPolicy(
            f"the bundle cannot be read: {error.strerror}", where=str(path), next_step="Check its path"
        ) from error
    if len(content) > MAX_BYTES:
        raise _too_large(where=str(path))
    return content


def _stored(content: bytes) -> bytes:
    """RFC 1952 around the stored blocks of RFC 1951, section 3.2.4."""
    blocks = []
    for start in range(0, len(content), _BLOCK):
        block = content[start : start + _BLOCK]
        final = start + _BLOCK >= len(content)
        blocks += [struct.pack("<BHH", final, len(block), len(block) ^ 0xFFFF), block]
    trailer = struct.pack("<II", zlib.crc32(content), len(content) & 0xFFFFFFFF)
    return b"".join((_HEADER, *blocks, trailer))


def _unzipped(content: bytes) -> bytes:
    unzip = zlib.decompressobj(_GZIP)
    try:
        unpacked = unzip.decompress(content, MAX_BYTES)
        if unzip.unconsumed_tail and unzip.decompress(unzip.unconsumed_tail, 1):
            raise _too_large()
    except zlib.error as error:
        raise _refused("it is not a bundle: it is no gzip file, or a damaged one") from error
    if not unzip.eof:
        raise _refused("the bundle is cut off")
    return unpacked


def _new_path(about: tarfile.TarInfo, entries: Mapping[str, bytes]) -> str:
    path = about.name
    if about.issym() or about.islnk():
        raise _refused(f"the archive holds a link, {path!r}")
    if not about.isreg():
        raise _refused(f"the archive holds {path!r}, which is no file")
    if path.startswith("/"):
        raise _refused(f"the archive has the absolute path {path!r}")
    if ".." in path.split("/"):
        raise _refused(f"the archive has the path {path!r}, which leads out of it")
    if path in entries:
        raise _refused(f"the archive has {path!r} twice")
    return path


def _read(archive: tarfile.TarFile, about: tarfile.TarInfo) -> bytes:
    file = archive.extractfile(about)
    return b"" if file is None else file.read()


def _too_large(*, where: str = "") -> BadPolicy:
    return BadPolicy(
        f"the bundle is larger than {MAX_BYTES >> 20} MiB", where=where, next_step=_MAKE_IT_AGAIN
    )


def _refused(what: str) -> BadPolicy:
    return BadPolicy(what, next_step=_MAKE_IT_AGAIN)
