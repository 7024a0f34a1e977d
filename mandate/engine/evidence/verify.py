"""Verifies a ledger: every entry, and that they are the entries that were appended, in that order.

    1. the store finds nothing wrong with itself (its file, its guards, no id twice)
    2. indexes run from 0 without a gap
    3. the chain of each entry is the running digest over all leaves so far
    4. each entry is right in itself, see `checks`

What this form of the ledger cannot find:

- **The newest entries removed.** What is left is a shorter ledger without a fault. Whoever keeps the number
  of entries and the newest chain elsewhere (`Report.entries`, `Report.chain`) can tell. It takes such a head,
  kept where the ledger's writer cannot change it; a Merkle log's signed head is one that others can check.
- **Entries removed or re-ordered, with everything after them numbered and chained anew.** The chain is not
  signed: it finds accidents, and whoever does not know of it. A chain that was kept elsewhere finds the rest.
- **Anything written by somebody who has the signing key.**
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ..errors import NotRecorded
from .checks import faults
from .ledger import Store, Stored, first_chain, next_chain
from .public_keys import PublicKey

_SHOWN = 100
"""How many faults a report keeps: a ledger has any number of them."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is wrong."""

    index: int | None
    """The entry; `None` if it is the ledger as a whole."""
    id: str | None
    """The entry's id as its column has it."""
    what: str
    """One clause."""

    def __str__(self) -> str:
        if self.index is None:
            return f"ledger: {self.what}"
        return f"entry {self.index} ({ascii(self.id)[1:-1][:50]}): {self.what}"


@dataclass(frozen=True, slots=True)
class Checked:
    """An entry, or the ledger as a whole, that was looked at."""

    index: int | None
    chain: bytes
    """The running digest up to here."""
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """What verification found."""

    entries: int
    """How many were looked at."""
    wrong: int
    """How many faults there are."""
    faults: tuple[Fault, ...]
    """The first of them."""
    chain: str
    """The running digest over all leaves, 64 hexadecimal digits: keep it elsewhere, with `entries`."""

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong."""
        return self.wrong == 0


def verify(store: Store, keys: Mapping[str, PublicKey]) -> Iterator[Checked]:
    """Look at the ledger as a whole, then at each entry, in bounded memory; believe only `keys`.

    What cannot be read on is a fault, not an error: what was found before it counts. `NotRecorded` only if
    the ledger's name cannot be had.
    """
    origin = store.origin
    chain = first_chain(origin)
    yield Checked(None, chain, _damage(store))  # 1
    expected = 0
    try:
        for stored in store.entries():
            chain = next_chain(chain, stored.leaf)
            found = (
                *_place(stored, expected),  # 2
                *_order(stored, chain),  # 3
                *faults(stored, origin, keys),  # 4
            )
            # One change must not make every later entry a fault: go on from what is stored.
            chain, expected = stored.chain, stored.index + 1
            yield Checked(stored.index, chain, tuple(Fault(stored.index, stored.id, what) for what in found))
    except NotRecorded as error:
        unread = f"nothing from entry {expected} on can be read: {error.what}"
        yield Checked(None, chain, (Fault(None, None, unread),))


def report(checked: Iterable[Checked]) -> Report:
    """The sum of what `verify` yields."""
    entries = wrong = 0
    chain = b""
    shown: list[Fault] = []
    for each in checked:
        entries += each.index is not None
        wrong += len(each.faults)
        chain = each.chain
        shown.extend(each.faults[: _SHOWN - len(shown)])
    return Report(entries, wrong, tuple(shown), chain.hex())


def _damage(store: Store) -> tuple[Fault, ...]:
    found: list[Fault] = []
    try:
        for what in store.damage():
            found.append(Fault(None, None, what))
            if len(found) == _SHOWN:
                break
    except NotRecorded as error:
        found.append(Fault(None, None, error.what))
    return tuple(found)


def _order(stored: Stored, chain: bytes) -> Iterator[str]:
    if stored.chain != chain:
        yield "its chain does not follow from the entries before it: they, or their order, were changed"


def _place(stored: Stored, expected: int) -> Iterator[str]:
    if stored.index > expected:
        last = stored.index - 1
        yield f"entry {expected} is gone" if last == expected else f"entries {expected} to {last} are gone"
    elif stored.index < expected:
        yield f"it stands where entry {expected} must be"
