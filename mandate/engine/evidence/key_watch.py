"""What a ledger says of its keys, for those who sign and for those who read one entry.

A key event is rare, and whether there was one must not be asked of the database for each decision. So what is
known is kept, and each entry is stored on the premise that it is all: see `ledger.Premise`.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING

from ..errors import BadConfiguration, NotRecorded
from .checks import Examined, examine
from .ledger import Premise, Reader, Stored
from .predicates import KEY_EVENT_TYPES
from .public_keys import PublicKey

if TYPE_CHECKING:
    from .key_status import KeyStatus


@dataclass(frozen=True, slots=True)
class Known:
    """What was known of a ledger's keys at some time. Whoever checks and signs does both by one of these."""

    location: str
    """Where the ledger is, for messages."""
    entries: int
    """How many entries there were, at least."""
    latest: int
    """Index of the latest key event; -1 if there was none."""
    said: KeyStatus | None
    """The status after it; `None` if there was none, as in most ledgers, which need not import it."""

    @property
    def premise(self) -> Premise:
        """That there is no later key event."""
        return Premise(KEY_EVENT_TYPES, self.latest)

    @property
    def status(self) -> KeyStatus:
        """The status of the keys."""
        return _or_nothing(self.said)

    def entitle(self, keyid: str) -> None:
        """Return if the key may sign what comes next. `BadConfiguration` if it was rotated or revoked."""
        if self.said is None or not (endings := self.said.endings.get(keyid)):
            return
        successor = endings[0].successor
        raise BadConfiguration(
            f"the key {keyid} was {endings[-1]} ({ascii(endings[-1].reason)[1:-1][:200]}): "
            "what it signs does not count any more",
            where=self.location,
            next_step=f"Let {successor} sign, which took its place: see `mandate key list`"
            if successor
            else "Let another key sign: see `mandate key list`",
        )


class KeyWatch:
    """Knows the status of a ledger's keys; `keys` are those whose signatures count. Threads may share one."""

    def __init__(self, store: Reader, keys: Mapping[str, PublicKey]) -> None:
        self._store = store
        self._keys = keys
        self._known: Known | None = None

    @property
    def known(self) -> Known:
        """What is known, which may be out of date. `NotRecorded` as `look` raises it."""
        return self._known or self.look()

    @property
    def status(self) -> KeyStatus:
        """The status that is known."""
        return self.known.status

    def look(self) -> Known:
        """Read the key events that are new. `NotRecorded` if one of them is damaged: then nobody knows."""
        known = self._known or Known(self._store.location, 0, -1, None)
        status, latest, entries = known.said, known.latest, self._store.count()
        for stored in self._events(latest + 1):
            examined = examine(stored, self._store.origin, self._keys)
            if examined.faults or examined.predicate is None:
                raise NotRecorded(
                    f"which keys may sign cannot be told: {'; '.join(examined.faults)}",
                    where=f"{self._store.location}, entry {stored.index}",
                    next_step="Run `mandate ledger verify`; the key folder must have all public keys",
                )
            status = _or_nothing(status).after(stored.index, examined.predicate, examined.signers)
            latest = stored.index
        # At once: what is checked by one status must not be stored on the premise of another.
        self._known = known = Known(known.location, entries, latest, status)
        return known

    def entitle(self, keyid: str) -> None:
        """As `Known.entitle`, by what is known."""
        self.known.entitle(keyid)

    def wrong(self, index: int, examined: Examined) -> Iterator[str]:
        """Why the keys that signed an entry without a fault may not have, one clause each."""
        known = self.known if index < self.known.entries else self.look()
        if known.said is not None and examined.predicate is not None:
            yield from known.said.wrong(index, examined.predicate, examined.signers)

    def _events(self, start: int) -> Iterator[Stored]:
        kinds = (self._store.of_kind(kind, start) for kind in KEY_EVENT_TYPES)
        return heapq.merge(*kinds, key=attrgetter("index"))


def _or_nothing(status: KeyStatus | None) -> KeyStatus:
    from .key_status import NOTHING_SAID

    return status or NOTHING_SAID
