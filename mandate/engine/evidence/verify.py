"""Verifies a ledger: every entry, and that they are the entries that were appended, in that order.

    1. the store finds nothing wrong with itself (its tables, its guards, no id twice)
    2. indexes run from 0 without a gap
    3. the tree that is stored is the tree over the entries' leaves
    4. every signed head is right, and says of the tree what it was when the head was signed
    5. the newest head covers all entries
    6. each entry is right in itself, see `checks`
    7. each key signed entries and heads only until another entry ended it, see `key_status`
    8. the tree begins with the tree of a head that somebody kept elsewhere, if one is given
    9. the signatures of witnesses under heads are some, and those of the given witnesses are right

What no ledger can show by itself:

- **The newest entries removed, with their heads.** What is left is a shorter ledger without a fault, as one
  that was restored from a backup is. A head that was kept elsewhere, or one that a witness signed, finds it.
- **Two ledgers that go on differently from one head**, each shown to somebody else. Whoever compares heads,
  as a witness does, finds it.
- **Anything written by somebody who has the signing key**, before anybody kept a head over it. A revocation
  is an entry too: with a key that was revoked, somebody can still write another log, which branches off
  before the revocation. A head over the revocation that was kept elsewhere finds it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from ..errors import BadInput, NotRecorded
from .checks import Examined, examine
from .heads import note_keys
from .key_status import KeyStatus
from .ledger import Head, Reader, Stored
from .log import checkpoint
from .log.checkpoint import Checkpoint
from .log.cosignature import WitnessKey
from .log.merkle import EMPTY_ROOT, Frontier
from .public_keys import PublicKey

_SHOWN = 100
"""How many faults a report keeps: a ledger has any number of them."""
_TREE = "the stored tree does not follow from the entries: it, they, or their order was changed"
_HEAD = "the signed head over all entries up to here says otherwise: they, or their order, were changed"
_SINCE = "the entries up to here are not those of the head that was kept: the ledger was forked or rewritten"


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
    root: bytes | None
    """Of the tree up to here; `None` if nobody can say, or it was not asked."""
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
    root: str | None
    """Of the tree over all entries, 64 hexadecimal digits; `None` if nobody can say."""

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong."""
        return self.wrong == 0


def verify(
    store: Reader,
    keys: Mapping[str, PublicKey],
    *,
    since: Checkpoint | None = None,
    witnesses: Collection[WitnessKey] = (),
    required: int = 0,
) -> Iterator[Checked]:
    """Look at the ledger as a whole, then at each entry, in bounded memory; believe only `keys`.

    `since`: a head that was kept elsewhere, whose signature has been verified. `required`: how many of the
    witnesses must have signed the newest head. What cannot be read on is a fault, not an error: what was
    found before it counts. `NotRecorded` only if the ledger's name cannot be had.
    """
    origin = store.origin
    outside = _Outside(since, witnesses, required)
    try:
        with store.snapshot() as frozen:
            yield from _verified(frozen, origin, keys, outside)
    except NotRecorded as error:
        yield Checked(None, None, (Fault(None, None, error.what),))


@dataclass(frozen=True, slots=True)
class _Outside:
    """What is known from elsewhere than the ledger."""

    since: Checkpoint | None
    witnesses: Collection[WitnessKey]
    required: int


def _verified(
    store: Reader, origin: str, keys: Mapping[str, PublicKey], outside: _Outside
) -> Iterator[Checked]:
    yield Checked(None, None, _damage(store))  # 1
    expected = 0
    log, status = _Log(store, origin, keys, outside), KeyStatus()
    try:
        for stored in store.entries():
            examined = examine(stored, origin, keys)
            unentitled = _unentitled(status, stored.index, examined)
            status = _followed(status, stored.index, examined)
            found = (
                *_place(stored, expected),  # 2
                *log.entry(stored, status),  # 3, 4, 7, 8, 9
                *examined.faults,  # 6
                *unentitled,  # 7
            )
            expected = stored.index + 1
            yield Checked(
                stored.index, log.root, tuple(Fault(stored.index, stored.id, what) for what in found)
            )
        yield Checked(None, log.root, tuple(Fault(None, None, what) for what in log.end(expected)))  # 5, 8, 9
    except NotRecorded as error:
        unread = f"nothing from entry {expected} on can be read: {error.what}"
        yield Checked(None, None, (Fault(None, None, unread),))


def report(checked: Iterable[Checked]) -> Report:
    """The sum of what `verify` yields."""
    entries = wrong = 0
    root: bytes | None = None
    shown: list[Fault] = []
    for each in checked:
        entries += each.index is not None
        wrong += len(each.faults)
        root = each.root
        shown.extend(each.faults[: _SHOWN - len(shown)])
    return Report(entries, wrong, tuple(shown), None if root is None else root.hex())


class _Log:
    """The tree and its heads, followed entry by entry.

    One change must not make every later entry a fault: after one, it goes on from what is stored.
    """

    def __init__(self, store: Reader, origin: str, keys: Mapping[str, PublicKey], outside: _Outside) -> None:
        self._store = store
        self._origin = origin
        self._keys = note_keys(origin, keys)
        self._status = KeyStatus()
        self._outside = outside
        self._since = outside.since
        self._nodes = store.nodes()
        self._node = next(self._nodes, None)
        self._heads = store.heads()
        self._head = next(self._heads, None)
        self._newest = 0
        """The size of the newest head so far."""
        self._cosigned = store.cosigned()
        self._cosignature = next(self._cosigned, None)
        self._witnessed = b""
        """The newest head so far, with the signatures of witnesses."""
        self._agrees = True
        """Whether the last head that was looked at says what the tree says."""
        self._frontier: Frontier | None = Frontier()

    @property
    def root(self) -> bytes | None:
        """Of the tree up to here."""
        return None if self._frontier is None else self._frontier.root

    def entry(self, stored: Stored, status: KeyStatus) -> Iterator[str]:
        """What is wrong with the tree and with the head that end with this entry.

        `status`: of the keys, after it.
        """
        self._status = status
        if self._frontier is None or self._frontier.size != stored.index:
            self._frontier = self._from_store(stored.index)
        yield from self._grown(stored)
        while self._head is not None and self._head.size <= stored.index + 1:
            yield from self._signed(self._head, stored.index + 1)
            yield from self._cosignatures(self._head)
            self._newest = self._head.size
            self._head = next(self._heads, None)
        if self._since is not None and self._since.size == stored.index + 1:
            root, since, self._since = self.root, self._since, None
            if root != since.root:
                yield _SINCE

    def end(self, size: int) -> Iterator[str]:
        """What is wrong with the log as a whole, which has `size` entries."""
        while self._head is not None:
            yield f"there is a signed head over {self._head.size} entries, and there are {size}"
            self._newest, self._head = self._head.size, next(self._heads, None)
        if self._newest < size:
            yield f"no signed head covers the last {size - self._newest} of {size} entries"
        if self._node is not None:
            yield f"the stored tree goes beyond entry {size - 1}"
        if self._outside.required:
            yield from self._refused(self._witnessed, "the newest head", self._outside.required)
        if self._since is None:
            return
        if self._since.size > size:
            yield (
                f"the head that was kept covers {self._since.size} entries, and there are {size}: the newest "
                "were removed, or an older copy was put in place"
            )
        elif self._since.size == 0 and self._since.root != EMPTY_ROOT:
            yield _SINCE

    def _grown(self, stored: Stored) -> Iterator[str]:
        there = []
        while self._node is not None and self._node[0] <= stored.index:
            if self._node[0] == stored.index:
                there.append(self._node[1:])
            self._node = next(self._nodes, None)
        if self._frontier is None:
            self._frontier = self._from_store(stored.index + 1)
            return
        self._frontier, made = self._frontier.append(stored.leaf)
        if there != [(node.level, node.hash) for node in made]:
            yield _TREE
            self._frontier = self._from_store(stored.index + 1)

    def _signed(self, head: Head, size: int) -> Iterator[str]:
        try:
            accepted = checkpoint.accept(head.checkpoint, self._keys)
        except BadInput as error:
            yield f"the head over {head.size} entries: {error.what}"
            return
        said = accepted.checkpoint
        signers = [key.public_key.keyid for key in accepted.signed_by]
        if not any(self._status.may_sign_head(keyid, head.size) for keyid in signers):
            ending = self._status.endings[signers[0]][0]
            yield f"the head over {head.size} entries is signed by the key {signers[0]}, which was {ending}"
        if (said.origin, said.size) != (self._origin, head.size):
            of = ascii(said.origin)[:100]
            yield f"the head over {head.size} entries was signed over {said.size} of {of}"
            return
        if head.size != size or self._frontier is None:
            return  # the gap is a fault already
        agrees = said.root == self.root
        if not agrees:
            if self._agrees:
                yield _HEAD
            self._frontier = self._from_store(size)
        self._agrees = agrees

    def _cosignatures(self, head: Head) -> Iterator[str]:
        lines = []
        while self._cosignature is not None and self._cosignature[0] <= head.size:
            if self._cosignature[0] == head.size:
                lines.append(self._cosignature[1])
            self._cosignature = next(self._cosigned, None)
        self._witnessed = head.checkpoint + b"".join(lines)
        if lines:
            yield from self._refused(self._witnessed, f"what witnesses signed over {head.size} entries", 0)

    def _refused(self, data: bytes, what: str, required: int) -> Iterator[str]:
        try:
            checkpoint.accept(data, self._keys, self._outside.witnesses, required=required)
        except BadInput as error:
            yield f"{what}: {error.what}"

    def _from_store(self, size: int) -> Frontier | None:
        try:
            return Frontier.of(size, self._store.node)
        except NotRecorded:
            return None


def _damage(store: Reader) -> tuple[Fault, ...]:
    found: list[Fault] = []
    try:
        for what in store.damage():
            found.append(Fault(None, None, what))
            if len(found) == _SHOWN:
                break
    except NotRecorded as error:
        found.append(Fault(None, None, error.what))
    return tuple(found)


def _unentitled(status: KeyStatus, index: int, examined: Examined) -> tuple[str, ...]:
    """Why the keys that are named may not say what the entry says."""
    if examined.predicate is None:
        return ()
    return tuple(status.wrong(index, examined.predicate, examined.signers))


def _followed(status: KeyStatus, index: int, examined: Examined) -> KeyStatus:
    """The status after the entry. One with a fault ends no key."""
    if examined.faults or examined.predicate is None:
        return status
    return status.after(index, examined.predicate, examined.signers)


def _place(stored: Stored, expected: int) -> Iterator[str]:
    if stored.index > expected:
        last = stored.index - 1
        yield f"entry {expected} is gone" if last == expected else f"entries {expected} to {last} are gone"
    elif stored.index < expected:
        yield f"it stands where entry {expected} must be"
