"""What is said of facts that were collected for an earlier question."""

from __future__ import annotations

from collections import defaultdict

from ..input import Collected, Input
from .visible import visible


def sentences(document: Input) -> list[str]:
    """One for each entry of the ledger that they are from: how old they are, whose, and which."""
    named: dict[tuple[int, str, int], list[str]] = defaultdict(list)
    for entry in document.collection:
        if isinstance(entry, Collected) and entry.reused is not None:
            minutes = round((document.request.time - entry.collected_at).total_seconds() / 60)
            whose = entry.origin.value + (f" by {visible(entry.reported_by)}" if entry.reported_by else "")
            named[entry.reused.index, whose, minutes].append(visible(entry.name))
    return [
        f"facts of {minutes} {'minute' if minutes == 1 else 'minutes'} ago, {whose}, entry {index}: "
        + ", ".join(names)
        for (index, whose, minutes), names in named.items()
    ]
