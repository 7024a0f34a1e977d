"""What collectors may ask of a git repository. Implemented outside them, in one place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody as a commit names them, whatever a `.mailmap` makes of it; either part may be empty."""

    mail: str
    name: str


@dataclass(frozen=True, slots=True)
class Writers:
    """Who wrote a commit, and who put it into the history."""

    author: Person
    committer: Person


class Repository(Protocol):
    """A local git repository that is only read.

    A `commit` is a full id, as `has` accepts and `commit` gives it. `BadInput` wherever git does not answer.
    """

    @property
    def location(self) -> str:
        """As configured."""

    def is_shallow(self) -> bool:
        """Whether it has only the latest part of the history."""

    def has(self, commit: str) -> bool:
        """Whether `commit` is the full id of a commit that is there. A branch named like one is none."""

    def commit(self, revision: str) -> str:
        """The full id of the commit that `revision` names. `BadInput` if it names none."""

    def is_ancestor(self, commit: str, of: str) -> bool:
        """Whether the history of the commit `of` has `commit`."""

    def file(self, commit: str, path: str) -> bytes | None:
        """The file as the commit has it; `None` if it has none there. `path` is from the root, with `/`."""

    def writers(self, commit: str, path: str) -> frozenset[Writers]:
        """Of each commit in the history of `commit` that touched the file or folder at `path`: also on a side
        that a merge left out, and under an earlier name."""
