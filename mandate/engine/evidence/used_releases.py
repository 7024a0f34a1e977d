"""Which releases of the policies the ledger says have decided: whoever shares it learns of them here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from .entries import ProvenEntries
from .ledger import Reader
from .predicates.policy_release import POLICY_RELEASE_TYPE, PolicyReleasePredicate
from .public_keys import PublicKey
from .query import MOST, Query, Searchable


class Ledger(Reader, Searchable, Protocol):
    """A ledger that can be read and looked through."""


def newest(ledger: Ledger, keys: Mapping[str, PublicKey], *, keyid: str) -> tuple[int, str] | None:
    """The highest number among the releases that this key signed, and the revision that had it first; `None`
    if none has decided. `NotRecorded` if nobody can say."""
    entries = ProvenEntries(ledger, keys)
    found: tuple[int, str] | None = None
    before: int | None = None
    while True:
        page = ledger.search(Query(kind=POLICY_RELEASE_TYPE), before=before, most=MOST)
        for stored in page.entries:  # the newest first
            said = entries.predicate(stored)
            assert isinstance(said, PolicyReleasePredicate)  # noqa: S101  (a proven entry is of its kind)
            release = said.release
            if release is None or release.keyid != keyid:
                continue
            if found is None or release.number >= found[0]:
                found = release.number, said.revision
        if (before := page.before) is None:
            return found
