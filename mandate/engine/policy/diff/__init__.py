"""What differs between two revisions of policies, in a reviewer's words.

Compared is what judges: the catalogue, the thresholds, the selection, waivers, people and scope as
they compile, and Rego as it is parsed. Comments, tests, the order of rules and format make no difference.

What a change of a pattern or a layer leads to is worked out and said, rather than left to the reader: a
pattern by the rules that judge where they did not before, a layer by the values that held there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..build import Compiled
from ..sources import Kind as SourceKind
from . import code, judging, people, rules, scope, selection, thresholds, waivers
from .changes import Change, Effect, Kind, Section


@dataclass(frozen=True, slots=True)
class Difference:
    """All changes from one revision to another, in a fixed order."""

    old: str
    """`sha256:<hex>`."""
    new: str
    changes: tuple[Change, ...]

    def count(self, effect: Effect) -> int:
        """How many changes have this effect."""
        return sum(change.effect is effect for change in self.changes)

    def counts(self, section: Section) -> Mapping[Kind, int]:
        """How many changes of a section are of each kind."""
        kinds = [change.kind for change in self.changes if change.section is section]
        return {kind: kinds.count(kind) for kind in Kind}


def compare(old: Compiled, new: Compiled, *, opa: Path) -> Difference:
    """The difference. What judges where is asked of each revision's own Rego."""
    changes: list[Change] = []
    if old.sources.revision != new.sources.revision:
        same_code = old.sources.of(SourceKind.REGO) == new.sources.of(SourceKind.REGO)
        changes += scope.changes(old, new)
        changes += thresholds.changes(old, new)
        changes += waivers.changes(old, new)
        changes += people.changes(old, new)
        if not same_code:
            changes += code.changes(old, new, opa=opa)
        if not same_code or any(old.data[part] != new.data[part] for part in ("scope", "selection")):
            judged = judging.judged(old, new, opa=opa)
            changes += rules.changes(old, new, judged)
            changes += selection.changes(old, new, judged)
    return Difference(
        old.sources.revision, new.sources.revision, tuple(sorted(changes, key=lambda change: change.order))
    )
