"""What is looked for in a ledger, and a page of what was found.

What is found by are the columns, which nobody has verified: whoever needs proof runs `ledger verify`, which
holds every column against what is signed, or proves the entry.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from .ledger import Stored

MOST = 1000
"""Entries on a page."""


@dataclass(frozen=True, slots=True)
class Query:
    """What all found entries have; `None` for whatever."""

    kind: str | None = None
    """The predicate's type."""
    model: str | None = None
    version: str | None = None
    sha256: str | None = None
    """The artifact's root digest."""
    outcome: str | None = None
    action: str | None = None
    environment: str | None = None
    revision: str | None = None
    """Of the policies."""
    rule: str | None = None
    """Something of it did not pass, or a waiver is for it."""
    control: str | None = None
    """Such a rule serves it."""
    person: str | None = None
    """Who asked, made, approved, waived or acted."""
    since: str | None = None
    """The first instant, as `recorded_at` is written."""
    until: str | None = None
    """The first instant that is too late."""


@dataclass(frozen=True, slots=True)
class Page:
    """Entries, the newest first."""

    entries: tuple[Stored, ...]
    before: int | None
    """Where the next page begins: give it back. `None` if there is nothing more."""


class Searchable(Protocol):
    """A ledger that can be looked through by columns."""

    def search(self, query: Query, *, before: int | None, most: int) -> Page:
        """The newest `most` entries before the index `before` that are as `query` says."""
