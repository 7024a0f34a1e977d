"""The names of an export's files, and how large one may be.

Indexes and sizes have twelve digits, so that names sort as numbers do. Nothing but these names is read, so
nothing outside an export can be reached by a name in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

FORMAT = "https://mandate.dev/export/v1"
"""A change of layout or of the manifest's shape is a new version."""

README = "README.md"
CHECKPOINT = "checkpoint"

MAX_BYTES = 48 * 1024 * 1024
"""No file is larger: the largest is an entry of 16 MiB behind others of `CHUNK_BYTES`, or a policy bundle."""
CHUNK = 256
"""Entries in one file, at most: a tile's width."""
CHUNK_BYTES = 8 * 1024 * 1024
"""A file of entries is full when it has so many bytes, too."""
SUMS = 1000
"""Lines in one file of sums, at most."""

_DIGITS = 12
_FOLDER = 1_000_000
"""Entries whose files share a folder."""
_NAME = re.compile(r"(?!.{101})[A-Za-z0-9_-][A-Za-z0-9_.-]*(/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*")
_CHUNK = re.compile(r"entries/[0-9]{6}/([0-9]{12})-([0-9]{12})\.jsonl")
_COSIGNATURES = re.compile(r"cosignatures/([0-9]{12})-[0-9]{1,4}\.jsonl")
_POLICIES = re.compile(r"policies/([0-9a-f]{64})\.tar\.gz")
_PARTS = frozenset(
    {
        "cosignatures",
        "entries",
        "heads",
        "keys",
        "policies",
        "proofs",
        "schemas",
        "snapshots",
        "sums",
        "tile",
        README,
        CHECKPOINT,
    }
)
_SNAPSHOT = re.compile(r"snapshots/([0-9]{12})\.json")


def is_name(name: str) -> bool:
    """Whether a file of an export can have this name: relative, ASCII, nothing hidden, nowhere upwards."""
    return _NAME.fullmatch(name) is not None


def belongs(name: str) -> bool:
    """Whether a file of this name can be part of an export."""
    return name.partition("/")[0] in _PARTS


@dataclass(frozen=True, slots=True, order=True)
class Chunk:
    """Entries that stand in one file, and the heads that were signed when they were appended."""

    first: int
    last: int

    @property
    def entries(self) -> str:
        """The file of their envelopes."""
        return f"entries/{self._within}"

    @property
    def heads(self) -> str:
        """The file of the heads over `first + 1` to `last + 1` entries."""
        return f"heads/{self._within}"

    @property
    def _within(self) -> str:
        return f"{self.first // _FOLDER:06}/{_number(self.first)}-{_number(self.last)}.jsonl"

    @classmethod
    def named(cls, name: str) -> Chunk | None:
        """The chunk whose envelopes this file has."""
        matched = _CHUNK.fullmatch(name)
        chunk = None if matched is None else cls(int(matched[1]), int(matched[2]))
        return chunk if chunk is not None and chunk.entries == name else None


def snapshot(size: int) -> str:
    """The file that says what the export was at this size."""
    return f"snapshots/{_number(size)}.json"


def snapshots(names: Iterable[str]) -> list[int]:
    """The sizes of which there are snapshots, the smallest first."""
    return sorted(int(found[1]) for name in names if (found := _SNAPSHOT.fullmatch(name)))


def newest_snapshot(names: Iterable[str]) -> int | None:
    """The largest size of which there is a snapshot."""
    return max(snapshots(names), default=None)


def sums(size: int, number: int) -> str:
    """A file of digests of what the run to this size added."""
    return f"sums/{_number(size)}/{number:04}.sha256"


def cosignatures(size: int, number: int) -> str:
    """A file of signatures by witnesses that the run to this size added."""
    return f"cosignatures/{_number(size)}-{number}.jsonl"


def cosigned_at(name: str) -> int | None:
    """The size of the run that added this file of signatures by witnesses."""
    matched = _COSIGNATURES.fullmatch(name)
    return None if matched is None else int(matched[1])


def consistency(first: int, second: int) -> str:
    """The file that proves that the tree of `second` entries begins with that of `first`."""
    return f"proofs/{_number(first)}-{_number(second)}"


def key(keyid: str, suffix: str) -> str:
    """The file of a key; its id is in base64, of which two characters are none of a file's name."""
    return f"keys/{keyid.replace(':', '-').replace('/', '_').replace('+', '-')}{suffix}"


def policies(revision: str) -> str:
    """The file of the policies with this revision."""
    return f"policies/{revision.removeprefix('sha256:')}.tar.gz"


def revision_of(name: str) -> str | None:
    """The revision of the policies in this file."""
    matched = _POLICIES.fullmatch(name)
    return None if matched is None else f"sha256:{matched[1]}"


def _number(number: int) -> str:
    return f"{number:0{_DIGITS}}"
