"""The Merkle tree as tiles: https://c2sp.org/tlog-tiles.

A tile of level L has 256 hashes side by side, each that of a complete subtree over 256^L leaves; the last one
of a level can be narrower, and has its width in its name. So no tile ever changes. Beside the tiles of level
0 stand the *entry bundles*: what the leaves are hashes of, each behind its length in two bytes. Ours are the
32 bytes of SHA-256 over an envelope.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

WIDTH = 256
HASH = 32
LEVELS = 8
"""Levels of the tree that one level of tiles spans."""

_LENGTH = struct.pack(">H", HASH)
_BUNDLED = len(_LENGTH) + HASH


@dataclass(frozen=True, slots=True)
class Tile:
    """Where a tile stands, and how wide it is."""

    level: int
    number: int
    width: int

    @property
    def name(self) -> str:
        """The file of its hashes."""
        return f"tile/{self.level}/{self._place}"

    @property
    def bundle(self) -> str:
        """The file of the entries below it, if it is of level 0."""
        return f"tile/entries/{self._place}"

    @property
    def _place(self) -> str:
        digits = f"{self.number:03}"
        digits = digits.zfill(-(-len(digits) // 3) * 3)
        *groups, last = (digits[start : start + 3] for start in range(0, len(digits), 3))
        partial = "" if self.width == WIDTH else f".p/{self.width}"
        return "/".join((*(f"x{group}" for group in groups), last)) + partial


def at(size: int, level: int, number: int) -> Tile:
    """The tile of the tree with `size` leaves."""
    return Tile(level, number, min(WIDTH, (size >> LEVELS * level) - number * WIDTH))


def added(first: int, second: int) -> Iterator[Tile]:
    """The tiles that the tree of `second` leaves has, and that of `first` does not."""
    level = 0
    while (hashes := second >> LEVELS * level) > 0:
        before = first >> LEVELS * level
        if hashes > before:
            for number in range(before // WIDTH, -(-hashes // WIDTH)):
                yield at(second, level, number)
        level += 1


def bundled(leaves: Sequence[bytes]) -> bytes:
    """The entry bundle of these leaves' data, 32 bytes each."""
    return b"".join(_LENGTH + leaf for leaf in leaves)


def unbundled(content: bytes) -> list[bytes] | None:
    """The leaves' data in an entry bundle; `None` if it is none of ours."""
    if len(content) % _BUNDLED:
        return None
    parts = [content[start : start + _BUNDLED] for start in range(0, len(content), _BUNDLED)]
    return [part[2:] for part in parts] if all(part.startswith(_LENGTH) for part in parts) else None


def hashes(content: bytes) -> list[bytes]:
    """The hashes in a tile."""
    return [content[start : start + HASH] for start in range(0, len(content), HASH)]
