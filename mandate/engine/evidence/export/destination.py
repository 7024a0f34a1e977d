"""Where an export is kept, and read from again."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol


class Source(Protocol):
    """Files by their names. Nothing of them is believed before it was checked."""

    @property
    def location(self) -> str:
        """Where it is, for messages and records; never a secret."""

    def names(self) -> Collection[str]:
        """The files that there are; what cannot be a file of an export is left out.

        `BadConfiguration` if there is no such place, `BadInput` if it holds what no export does.
        """

    def read(self, name: str) -> bytes:
        """The whole file. `BadInput` if it is not there, or longer than a file of an export can be."""

    def close(self) -> None:
        """Let go of it."""


class Destination(Source, Protocol):
    """Keeps files. Every method raises `NotRecorded` if it could not."""

    def add(self, name: str, content: bytes) -> bool:
        """Keep a new file; `False` if there is one of this name: it stays as it is."""

    def point(self, name: str, content: bytes) -> None:
        """Keep a file of which the newest version counts; nothing is done if that is what is there."""

    def sync(self) -> None:
        """Return when what was added survives a loss of power."""

    def finish(self) -> None:
        """All that was to be kept is there."""
