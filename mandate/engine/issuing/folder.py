"""Certificates in a folder, for a service outside of a cluster."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from .. import durably
from ..errors import NotEnsured
from .ensuring import AUTHORITIES, CERTIFICATE, NAMES

_PUBLIC = (AUTHORITIES, CERTIFICATE)
_LOCK = ".lock"


@dataclass(frozen=True, slots=True)
class FolderPlace:
    """The files, of which the keys can be read by their owner only. Callers read `ca.crt` when they like."""

    folder: Path
    overlap: timedelta = timedelta(days=7)

    def read(self) -> Mapping[str, bytes]:
        """As `Place.read`."""
        with self._translated():
            return {name: file.read_bytes() for name in NAMES if (file := self.folder / name).exists()}

    def write(self, files: Mapping[str, bytes]) -> None:
        """As `Place.write`, but one after the other: the service takes a pair only once it fits."""
        with self._translated():
            for name, content in files.items():
                durably.write(self.folder / name, content, mode=0o644 if name in _PUBLIC else 0o600)

    def believe(self, _authorities: bytes) -> list[str]:
        """Nobody has to be told: `ca.crt` is what callers read."""
        return []

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One run at a time, in a folder that is made if it is not there."""
        with self._translated():
            self.folder.mkdir(mode=0o755, parents=True, exist_ok=True)
            lock = (self.folder / _LOCK).open("wb")
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise NotEnsured(
                f"the certificates cannot be kept there: {error.strerror}",
                where=str(error.filename or self.folder),
                next_step="Name a folder that can be written to",
            ) from error
