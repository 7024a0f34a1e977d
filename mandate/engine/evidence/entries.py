"""What entries say, read back only if nothing is wrong with them: what is read is proven."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..errors import NotRecorded
from .checks import Examined, examine
from .examinations import Examine
from .key_watch import KeyWatch
from .ledger import Reader, Stored
from .predicates.base import Predicate
from .public_keys import PublicKey


class ProvenEntries:
    """The entries of one ledger; `keys` are those whose signatures count."""

    def __init__(self, store: Reader, keys: Mapping[str, PublicKey], *, examined: Examine = examine) -> None:
        self._store = store
        self._keys = keys
        self._examined = examined
        self._watch = KeyWatch(store, keys)

    def predicate(self, stored: Stored) -> Predicate:
        """What the entry says. `NotRecorded` if anything is wrong with it."""
        return self.signed(stored)[0]

    def signed(self, stored: Stored) -> tuple[Predicate, tuple[str, ...]]:
        """The same, and the ids of the keys that signed it."""
        examined = self._examined(stored, self._store.origin, self._keys)
        wrong = "; ".join((*examined.faults, *self._unentitled(examined, stored.index)))
        if wrong or examined.predicate is None:
            raise NotRecorded(
                f"the entry is not what was recorded: {wrong}",
                where=f"{self._store.location}, entry {stored.index}",
                next_step="Run `mandate ledger verify`, and keep a copy of the ledger as it is",
            )
        return examined.predicate, examined.signers

    def _unentitled(self, examined: Examined, index: int) -> Iterator[str]:
        """Why the key that signed the entry may not have."""
        if not examined.faults:
            yield from self._watch.wrong(index, examined)
