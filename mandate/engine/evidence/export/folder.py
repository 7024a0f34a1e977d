"""An export in a folder."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from ... import durably
from ...errors import BadConfiguration, BadInput, NotRecorded
from . import layout


class Folder:
    """A `Destination` that is a folder; it is made if it is not there."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._grown: set[Path] = set()
        """Folders with names that are perhaps not on the disk yet."""

    @property
    def location(self) -> str:
        """The folder's path."""
        return str(self._path)

    def names(self) -> Collection[str]:
        """The regular files below the folder; links are not followed."""
        if not self._path.exists():
            return ()
        if not self._path.is_dir():
            raise BadConfiguration(
                "this is no folder",
                where=self.location,
                next_step="Name a folder, or a file that ends in .tar",
            )
        return tuple(name for name in self._below(self._path) if layout.is_name(name))

    def read(self, name: str) -> bytes:
        """The whole file."""
        try:
            # Whoever put a link or a pipe there must not choose what is read.
            descriptor = os.open(self._path / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            with os.fdopen(descriptor, "rb") as file:
                content = file.read(layout.MAX_BYTES + 1)
        except OSError as error:
            raise BadInput(f"{name} cannot be read: {error.strerror}", where=self.location) from error
        if len(content) > layout.MAX_BYTES:
            raise BadInput(f"{name} is longer than a file of an export can be", where=self.location)
        return content

    def add(self, name: str, content: bytes) -> bool:
        """Write a new file under another name first, so that it is there whole or not at all."""
        with self._written(name, content) as (part, file):
            try:
                file.hardlink_to(part)
            except FileExistsError:
                return False
        return True

    def point(self, name: str, content: bytes) -> None:
        """Put the new file in the old one's place."""
        if (self._path / name).is_file() and self.read(name) == content:
            return
        with self._written(name, content) as (part, file):
            part.replace(file)

    def sync(self) -> None:
        """Each file was synced when it was added; their names are left."""
        with self._translated("the folder"):
            for folder in self._grown:
                durably.sync(folder)
        self._grown.clear()

    def finish(self) -> None:
        """Nothing is left to be done."""

    def close(self) -> None:
        """Nothing is open."""

    @contextmanager
    def _written(self, name: str, content: bytes) -> Iterator[tuple[Path, Path]]:
        file = self._path / name
        with self._translated(name):
            file.parent.mkdir(parents=True, exist_ok=True)
            # What was not written to its end has a hidden name, and is no file of the export.
            with durably.beside(file, content) as part:
                yield part, file
        self._grown.update(self._path.parent / each for each in file.relative_to(self._path.parent).parents)

    @contextmanager
    def _translated(self, name: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise NotRecorded(
                f"{name} cannot be written: {error.strerror}",
                where=self.location,
                next_step="Make room, or choose another folder; then export again: it goes on from there",
            ) from error

    def _below(self, folder: Path) -> Iterator[str]:
        for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
            if entry.is_dir(follow_symlinks=False):
                yield from self._below(Path(entry.path))
            elif entry.is_file(follow_symlinks=False):
                yield Path(entry.path).relative_to(self._path).as_posix()
