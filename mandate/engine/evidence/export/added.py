"""What a run adds to an export, and the digests of it."""

from __future__ import annotations

from collections.abc import Callable

from ...digests import sha256
from ...errors import NotRecorded
from . import layout
from .destination import Destination
from .manifest import Sums

KEEP = "Keep both as they are, and find out which one was changed, with `mandate ledger verify --since`"


class Added:
    """The files of the snapshot of this size, each listed with its digest, whether or not it was there."""

    def __init__(self, destination: Destination, size: int) -> None:
        self._destination = destination
        self._size = size
        self._lines: list[str] = []
        self._sums: list[Sums] = []
        self.count = 0
        """How many files were not there."""

    def keep(self, name: str, content: bytes) -> None:
        """Add evidence. `NotRecorded` if there is something else under its name."""
        if self._destination.add(name, content):
            self.count += 1
        elif self._destination.read(name) != content:
            raise NotRecorded(
                f"{name} is there already, and is not what belongs there",
                where=self._destination.location,
                next_step=KEEP,
            )
        self._list(name, content)

    def beside(self, name: str, content: bytes) -> None:
        """Add a companion, unless there is one: another version of Mandate may have written another."""
        if self._destination.add(name, content):
            self.count += 1
        else:
            content = self._destination.read(name)
        self._list(name, content)

    def signatures(self, content: bytes) -> None:
        """Add signatures of witnesses."""
        self._list(self._numbered(layout.cosignatures, content, 0), content)

    def sums(self) -> tuple[Sums, ...]:
        """Add the digests of all that was added, and say which files have them."""
        if self._lines:
            self._flush()
        return tuple(self._sums)

    def _list(self, name: str, content: bytes) -> None:
        self._lines.append(f"{sha256(content)}  {name}\n")
        if len(self._lines) == layout.SUMS:
            self._flush()

    def _flush(self) -> None:
        content = "".join(self._lines).encode()
        self._lines.clear()
        name = self._numbered(layout.sums, content, len(self._sums))
        self._sums.append(Sums(name=name, sha256=sha256(content)))

    def _numbered(self, named: Callable[[int, int], str], content: bytes, number: int) -> str:
        """Add a file under the first name that is free: a run that was cut off may have had less to say."""
        while not self._destination.add(name := named(self._size, number), content):
            if self._destination.read(name) == content:
                return name
            number += 1
        self.count += 1
        return name
