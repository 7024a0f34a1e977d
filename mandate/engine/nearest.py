"""Which known name somebody probably meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

_ALIKE = 0.5


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that is most like `name`; `None` where nothing is."""
    matches = get_close_matches(name, sorted(known), n=1, cutoff=_ALIKE)
    return matches[0] if matches else None


def advice(name: str, known: Iterable[str]) -> str:
    """The next step for an unknown name: the nearest known one, or all of them."""
    names = sorted(known)
    if (match := nearest(name, names)) is not None:
        return f"Write {match}"
    return f"Known here: {', '.join(names)}" if names else "Remove it"
