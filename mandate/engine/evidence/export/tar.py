"""An export in one file, a USTAR archive without compression.

It is written under the name `<file>.part`, where a run that was cut off goes on, and gets its own name when
it is complete; then it is never changed. Reading takes only what is written here: regular files, each name
once, none that leads out, and a proper end. So there is nothing in it that two readers could understand
differently.
"""

from __future__ import annotations

import os
import tarfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ... import durably
from ...errors import BadConfiguration, BadInput, BadRequest, NotRecorded
from . import layout

SUFFIX = ".tar"

_BLOCK = tarfile.BLOCKSIZE
_END = bytes(2 * _BLOCK)
_MODE = 0o644
_AGAIN = "Get the file again, or export again"


@dataclass(frozen=True, slots=True)
class _Member:
    start: int
    """Of its content in the file."""
    size: int

    @property
    def end(self) -> int:
        """Where the next one begins."""
        return self.start + -(-self.size // _BLOCK) * _BLOCK


class TarSource:
    """A `Source` that is a complete archive. `BadInput` if it is none, or holds what no export does."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._file: BinaryIO = path.open("rb")
        except OSError as error:
            raise BadConfiguration(
                f"the archive cannot be read: {error.strerror}", where=str(path), next_step="Check its path"
            ) from error
        try:
            self._members = dict(_members(self._file, self.location))
            self._refuse_another_end()
        except BaseException:
            self._file.close()
            raise

    def _refuse_another_end(self) -> None:
        self._file.seek(_end(self._members))
        if self._file.read(len(_END)) != _END or self._file.read(1):
            raise _refused("it is cut off, or something follows its end", self.location)

    @property
    def location(self) -> str:
        """The file's path."""
        return str(self._path)

    def names(self) -> Collection[str]:
        """The archive's members."""
        return self._members.keys()

    def read(self, name: str) -> bytes:
        """The whole member."""
        return _content(self._file, self._members, name, self.location)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class CompleteTar(TarSource):
    """A `Destination` to which nothing can be added any more."""

    def add(self, name: str, content: bytes) -> bool:
        """Refuse."""
        raise BadRequest(
            "this archive is complete, and the ledger has grown since",
            where=self.location,
            next_step="Name another file, or a folder, which later runs add to",
        )

    def point(self, name: str, content: bytes) -> None:
        """Refuse, if it is not what is there."""
        if self.read(name) != content:
            self.add(name, content)

    def sync(self) -> None:
        """It was complete before."""

    def finish(self) -> None:
        """It was complete before."""


class TarDestination:
    """A `Destination` that is an archive which is not complete yet."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._part = path.with_name(f"{path.name}.part")
        self._pointed: dict[str, bytes] = {}
        with self._translated():
            self._file = self._part.open("r+b" if self._part.exists() else "x+b")
            self._members = {}
            for name, member in _members(self._file, self.location, cut_off=True):
                if name == layout.CHECKPOINT:
                    break  # the last thing that is written: another one is to come
                self._members[name] = member
            # What comes behind the last whole member was cut off.
            self._file.truncate(_end(self._members))

    @property
    def location(self) -> str:
        """The path that the file will have."""
        return str(self._path)

    def names(self) -> Collection[str]:
        """What an earlier run has written."""
        return self._members.keys()

    def read(self, name: str) -> bytes:
        """What an earlier run has written."""
        return _content(self._file, self._members, name, self.location)

    def add(self, name: str, content: bytes) -> bool:
        """Append a member. It is durable when the run ends: until then the file has no name yet."""
        if name in self._members:
            return False
        about = tarfile.TarInfo(name)
        about.size, about.mode = len(content), _MODE
        with self._translated():
            start = self._file.seek(0, os.SEEK_END)
            member = _Member(start + _BLOCK, len(content))
            padding = bytes(member.end - member.start - member.size)
            self._file.write(about.tobuf(tarfile.USTAR_FORMAT) + content + padding)
        self._members[name] = member
        return True

    def point(self, name: str, content: bytes) -> None:
        """Remember the newest version, which is written when the archive is complete."""
        self._pointed[name] = content

    def sync(self) -> None:
        """Make what was added survive a loss of power."""
        with self._translated():
            self._file.flush()
            os.fsync(self._file.fileno())

    def finish(self) -> None:
        """End the archive, and give it its name."""
        for name, content in self._pointed.items():
            self.add(name, content)
        with self._translated():
            self._file.seek(0, os.SEEK_END)
            self._file.write(_END)
            self.sync()
            self._path.hardlink_to(self._part)
            self._part.unlink()
            durably.sync(self._path.parent)

    def close(self) -> None:
        """Close the file; what was written stays for the next run."""
        with self._translated():
            self._file.close()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise NotRecorded(
                f"the archive cannot be written: {error.strerror}",
                where=self.location,
                next_step="Make room, or choose another file; then export again: it goes on from there",
            ) from error


def _members(file: BinaryIO, where: str, *, cut_off: bool = False) -> Iterator[tuple[str, _Member]]:
    """The members in their order, without their contents. An archive that may be `cut_off` ends there."""
    size = file.seek(0, os.SEEK_END)
    seen: set[str] = set()
    start = 0
    while start + _BLOCK <= size:
        file.seek(start)
        header = file.read(_BLOCK)
        if header == bytes(_BLOCK):
            return
        try:
            about = tarfile.TarInfo.frombuf(header, "ascii", "strict")
        except (tarfile.HeaderError, ValueError) as error:
            if cut_off:
                return
            raise _refused(f"there is no archive in it, or it is damaged at byte {start}", where) from error
        member = _Member(start + _BLOCK, about.size)
        if about.type != tarfile.REGTYPE or not layout.is_name(about.name):
            raise _refused(f"it holds {ascii(about.name)[:100]}, which is no file of an export", where)
        if about.name in seen:
            raise _refused(f"it holds {about.name} twice", where)
        if not 0 <= about.size <= layout.MAX_BYTES:
            raise _refused(f"{about.name} is longer than a file of an export can be", where)
        if member.end > size:
            if cut_off:
                return
            raise _refused(f"it is cut off in the middle of {about.name}", where)
        seen.add(about.name)
        yield about.name, member
        start = member.end


def _end(members: dict[str, _Member]) -> int:
    """Where the last member ends."""
    return max((member.end for member in members.values()), default=0)


def _content(file: BinaryIO, members: dict[str, _Member], name: str, where: str) -> bytes:
    member = members.get(name)
    if member is None:
        raise BadInput(f"{name} is not there", where=where)
    file.seek(member.start)
    return file.read(member.size)


def _refused(what: str, where: str) -> BadInput:
    return BadInput(f"this is no archive of an export: {what}", where=where, next_step=_AGAIN)
