"""What a run found, counted and grouped, in one pass over its journal and in bounded memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from .comparison import Side
from .difference import Json
from .impact import Selection
from .journal import Journal

NEWLY_ALLOWED = ("deny_to_allow", "undecided_to_allow")
"""What was kept out and now is not: what somebody has to answer for."""
FLIPS = (
    *NEWLY_ALLOWED,
    "allow_to_deny",
    "allow_to_undecided",
    "deny_to_undecided",
    "undecided_to_deny",
)
COUNTS = (*FLIPS, "other_findings", "same", "never_answered", "damaged")
"""Under which names entries are counted, in the order in which they are told."""
_MOST_SHOWN = 5


@dataclass(frozen=True)
class Impact:
    """A run, as far as it came."""

    base: Side
    changed: Side
    selection: Selection
    origin: str
    """The ledger's name."""
    journal: Journal
    interrupted: bool
    expectations: Mapping[str, str]
    """Why a decision is meant to be allowed, by its id."""

    @property
    def counts(self) -> Mapping[str, int]:
        """How many entries ended how: all names of `COUNTS`, in this order."""
        return {name: self.journal.counts[name] for name in COUNTS}

    @property
    def judged(self) -> int:
        """How many decisions were judged anew."""
        counts = self.counts
        return sum(counts.values()) - counts["never_answered"] - counts["damaged"]

    def found(self, kind: str) -> Iterator[dict[str, Any]]:
        """The flips (`flip`), decisions with `other_findings`, or `damaged` entries, in order.

        A flip to an allow has the reason for which it is `expected`, or null.
        """
        for each in self.journal.found(kind):
            if count_of(each) in NEWLY_ALLOWED:
                each["expected"] = self.expectations.get(each["id"])
            yield each

    @cached_property
    def totals(self) -> Totals:
        """The flips, grouped."""
        totals = Totals(unused=dict(self.expectations))
        for flip in self.found("flip"):
            totals.add(flip)
        return totals

    @property
    def exit_code(self) -> int:
        """1 if something is newly allowed that nobody expects; 3 if not all could be judged; else 0."""
        if self.totals.unexpected:
            return 1
        return 3 if self.counts["damaged"] or self.journal.unanswered else 0


@dataclass
class Totals:
    """Flips by what they concern."""

    unused: dict[str, str]
    """Expectations that nothing met."""
    unexpected: int = 0
    """Decisions that are newly allowed, and nobody expects it."""
    by_model: dict[str, Counter[str]] = field(default_factory=dict)
    by_owner: dict[str | None, Counter[str]] = field(default_factory=dict)
    """A flip counts for each owner on record; `None`: there is none."""
    shown: dict[str, list[Json]] = field(default_factory=dict)
    """The first few flips of each count; of those that are newly allowed, unexpected ones first."""

    def add(self, flip: Json) -> None:
        """Count one more."""
        count = count_of(flip)
        if count in NEWLY_ALLOWED:
            self.unexpected += flip["expected"] is None
            self.unused.pop(flip["id"], None)
        self.by_model.setdefault(flip["subject"]["name"], Counter())[count] += 1
        for owner in flip["owners"] or [None]:
            self.by_owner.setdefault(owner, Counter())[count] += 1
        shown = self.shown.setdefault(count, [])
        shown.append(flip)
        # Stable: within each kind they stay in the order of the ledger.
        shown.sort(key=lambda each: each.get("expected") is not None)
        del shown[_MOST_SHOWN:]


def count_of(found: Json) -> str:
    """The name under which a flip is counted."""
    return f"{found.get('before')}_to_{found.get('after')}"
