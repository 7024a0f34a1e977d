"""Until which entry each key's signatures count, as the entries of the log say one after the other.

The place in the log decides, and no clock: an entry's index cannot be moved once others hold a head over it,
while whoever has a stolen key can write any time into what they sign.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from .predicates.base import Predicate
from .predicates.key import KeyStated
from .predicates.key_event import KeyRevocationPredicate, KeyRotationPredicate


class How(StrEnum):
    """How a key ended."""

    ROTATED = "rotated"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Ending:
    """An entry that ended a key."""

    key: KeyStated
    how: How
    index: int
    reason: str
    successor: str | None = None
    """The id of the key that took its place, if that was said."""

    def __str__(self) -> str:
        return f"{self.how} in entry {self.index}"


@dataclass(frozen=True, slots=True)
class KeyStatus:
    """What the log has said of keys so far. A key that it says nothing of may sign."""

    endings: Mapping[str, tuple[Ending, ...]] = field(default_factory=lambda: MappingProxyType({}))
    """By key id, in the order of the log: a key that was rotated may be revoked later."""

    def after(self, index: int, predicate: Predicate, signers: Collection[str]) -> KeyStatus:
        """The status after an entry, whose signatures have been verified.

        An entry that may not say what it says changes nothing: see `wrong`.
        """
        ending = _ending(index, predicate)
        if ending is None or any(self.wrong(index, predicate, signers)):
            return self
        keyid = ending.key.keyid
        endings = {**self.endings, keyid: (*self.endings.get(keyid, ()), ending)}
        return KeyStatus(MappingProxyType(endings))

    def wrong(self, index: int, predicate: Predicate, signers: Collection[str]) -> Iterator[str]:
        """Why the keys that signed an entry may not say what it says, one clause each."""
        yield from self.not_entitled(index, signers)
        match predicate:
            case KeyRotationPredicate(retired=retired, successor=successor):
                if list(signers) != [retired.keyid]:
                    yield "it is not signed by the key that gives way, and by it alone"
                yield from self._ended(successor, index)
            case KeyRevocationPredicate(revoked=revoked, successor=successor):
                if revoked.keyid in signers:
                    yield "a key cannot revoke itself"
                yield from self._ended(successor, index)

    def not_entitled(self, index: int, signers: Iterable[str]) -> Iterator[str]:
        """Whose signatures do not count on the entry with this index, one clause each."""
        for keyid in signers:
            if not self.may_sign(keyid, index):
                yield f"it is signed by the key {keyid}, which was {self.endings[keyid][0]}"

    def _ended(self, successor: KeyStated | None, index: int) -> Iterator[str]:
        """Why the key cannot take another's place."""
        if successor is not None and not self.may_sign(successor.keyid, index):
            yield f"the key that takes its place was {self.endings[successor.keyid][0]}"

    def may_sign(self, keyid: str, index: int) -> bool:
        """Whether the key's signature counts on the entry with this index."""
        return all(index <= ending.index for ending in self.endings.get(keyid, ()))

    def may_sign_head(self, keyid: str, size: int) -> bool:
        """Whether the key's signature counts on a head over so many entries.

        A rotation is under a head of the key that gives way, a revocation is not under one of the revoked.
        """
        return all(
            size <= ending.index + (ending.how is How.ROTATED) for ending in self.endings.get(keyid, ())
        )


NOTHING_SAID = KeyStatus()
"""Of a ledger that never spoke of its keys."""


def _ending(index: int, predicate: Predicate) -> Ending | None:
    match predicate:
        case KeyRotationPredicate(retired=retired, successor=successor, reason=reason):
            return Ending(retired, How.ROTATED, index, reason, successor.keyid)
        case KeyRevocationPredicate(revoked=revoked, successor=successor, reason=reason):
            named = None if successor is None else successor.keyid
            return Ending(revoked, How.REVOKED, index, reason, named)
    return None
