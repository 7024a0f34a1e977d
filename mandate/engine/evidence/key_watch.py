"""What a ledger says of its keys, for those who sign and for those who read one entry.

A key event is rare, and whether there was one must not be asked of the database for each decision. So what is
known is kept, and each entry is stored on the premise that it is all: see `ledger.Premise`.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from operator import attrgetter

from ..errors import BadConfiguration, NotRecorded
from .checks import examine
from .key_status import KeyStatus
from .ledger import Premise, Reader, Stored
from .predicates.key_event import KEY_EVENT_TYPES
from .public_keys import PublicKey


class KeyWatch:
    """The status of the keys after the latest key event of a ledger that is known here."""

    def __init__(self, store: Reader, keys: Mapping[str, PublicKey]) -> None:
        self._store = store
        self._keys = keys
        self._status = KeyStatus()
        self._latest: int | None = None
        """Index of the latest key event; -1 if there is none; `None` if nobody looked yet."""

    @property
    def premise(self) -> Premise:
        """That there is no key event beyond those that are known."""
        if self._latest is None:
            self.look()
        return Premise(KEY_EVENT_TYPES, -1 if self._latest is None else self._latest)

    @property
    def status(self) -> KeyStatus:
        """The status after them."""
        _ = self.premise
        return self._status

    def look(self) -> None:
        """Read the key events that are new. `NotRecorded` if one of them is damaged: then nobody knows."""
        latest = -1 if self._latest is None else self._latest
        status = self._status
        for stored in self._events(latest + 1):
            examined = examine(stored, self._store.origin, self._keys)
            if examined.faults or examined.predicate is None:
                raise NotRecorded(
                    f"which keys may sign cannot be told: {'; '.join(examined.faults)}",
                    where=f"{self._store.location}, entry {stored.index}",
                    next_step="Run `mandate ledger verify`; the key folder must have all public keys",
                )
            status = status.after(stored.index, examined.predicate, examined.signers)
            latest = stored.index
        self._status, self._latest = status, latest

    def entitle(self, keyid: str) -> None:
        """Return if the key may sign what comes next. `BadConfiguration` if it was rotated or revoked."""
        if endings := self.status.endings.get(keyid):
            successor = endings[0].successor
            raise BadConfiguration(
                f"the key {keyid} was {endings[-1]} ({ascii(endings[-1].reason)[1:-1][:200]}): "
                "what it signs does not count any more",
                where=self._store.location,
                next_step=f"Let {successor} sign, which took its place: see `mandate key list`"
                if successor
                else "Let another key sign: see `mandate key list`",
            )

    def _events(self, start: int) -> Iterator[Stored]:
        kinds = (self._store.of_kind(kind, start) for kind in KEY_EVENT_TYPES)
        return heapq.merge(*kinds, key=attrgetter("index"))
