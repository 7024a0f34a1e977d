"""Judges what is on record anew, and finds the decisions that would flip.

Entries go through here once, some dozens at a time in each of several threads: signatures are verified, the
inputs are taken as they were signed, both sides judge them, and what they say differently is noted. Results
come out in the order of the ledger, and only as many entries are in memory as are on their way.
"""

from __future__ import annotations

import gc
import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..errors import NotRecorded
from ..evidence import signed
from ..evidence.key_status import KeyStatus
from ..evidence.ledger import Store, Stored
from ..evidence.predicates.base import rfc3339_milliseconds
from ..evidence.public_keys import PublicKey
from ..evidence.signed import Signed
from .difference import Difference, Json, difference
from .standing import Verdict

OWNER_ROLE = "model_owner"
"""Whose approval says who owns a model: the role that the library's policies demand."""

_MOST_THREADS = 16
_AHEAD = 2
"""Batches on their way for each thread."""
_MOST_AT_ONCE = 32
_VALUES_BETWEEN_COLLECTIONS = 50_000
_LARGEST = 4 << 20
"""Bytes: a batch with more gets no further entry."""

Judge = Callable[[Sequence[Signed]], Sequence[Verdict]]
"""What is decided on each of some recorded inputs."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which decisions are judged."""

    model: str | None = None
    since: datetime | None = None
    last: int | None = None
    """Entries of the ledger, counted from its end."""

    def as_json(self) -> dict[str, Any]:
        """For reports, and to tell one run from another."""
        since = None if self.since is None else rfc3339_milliseconds(self.since)
        return {"model": self.model, "since": since, "last": self.last}


@dataclass(frozen=True, slots=True)
class Examined:
    """What became of one entry."""

    index: int
    count: str | None
    """Under which name it is counted; `None` if it was not asked for."""
    found: Json | None = None
    """What is to be told of it, as JSON."""
    unanswered: bool = False
    """Whether a side gave no answer, so that it is undecided for want of one."""
    rules: frozenset[str] | None = None
    """The rules by which alone it was judged; `None` if it was judged by all, or not at all."""

    @property
    def flips(self) -> bool:
        """Whether the outcome is another one."""
        return self.found is not None and self.found["kind"] == "flip"


@dataclass(frozen=True, slots=True)
class Examiner:
    """Takes one entry at a time. Threads may share it."""

    store: Store
    keys: Mapping[str, PublicKey]
    status: KeyStatus
    """What the ledger says of its keys."""
    selection: Selection
    base: Callable[[Sequence[Signed]], Sequence[Verdict | None]]
    """What the one side says; `None` where it has nothing to compare with."""
    changed: Judge

    def __call__(self, entries: Sequence[Stored]) -> list[Examined]:
        """Judge the decisions of these entries anew; those that are damaged are named."""
        taken = [self._taken(entry) for entry in entries]
        recorded = [one for one in taken if isinstance(one, Signed)]
        before = self.base(recorded)
        answered = [one for one, verdict in zip(recorded, before, strict=True) if verdict is not None]
        after = iter(self.changed(answered))
        judged = {
            one.index: Examined(one.index, "never_answered")
            if verdict is None
            else _compared(one, verdict, next(after))
            for one, verdict in zip(recorded, before, strict=True)
        }
        return [judged[one.index] if isinstance(one, Signed) else one for one in taken]

    def _taken(self, entry: Stored) -> Signed | Examined:
        """The decision of the entry, or why it is not judged."""
        since = self.selection.since
        if since is not None and entry.recorded_at < rfc3339_milliseconds(since):
            return Examined(entry.index, None)
        try:
            recorded = signed.read(entry, self.store, self.keys, self.status)
        except NotRecorded as error:
            return Examined(entry.index, "damaged", damage(entry.index, entry.id, error.what))
        if recorded is None or self.selection.model not in (None, recorded.document["subject"].get("name")):
            return Examined(entry.index, None)
        return recorded


def damage(index: int, entry_id: str | None, what: str) -> Json:
    """What is told of an entry that is not what was recorded."""
    return {"kind": "damaged", "index": index, "id": entry_id, "what": what}


def _compared(recorded: Signed, before: Verdict, after: Verdict) -> Examined:
    found = difference(before.decision, after.decision)
    unanswered = not (before.answered and after.answered)
    rules = _by(before, after)
    if not found:
        return Examined(recorded.index, "same", unanswered=unanswered, rules=rules)
    count = f"{found.before}_to_{found.after}" if found.flipped else "other_findings"
    return Examined(recorded.index, count, _told(recorded, found), unanswered, rules)


def _by(before: Verdict, after: Verdict) -> frozenset[str] | None:
    """What was on record was not judged: it counts for neither."""
    sides = [side.rules for side in (before, after) if not side.recorded]
    named = [rules for rules in sides if rules is not None]
    return frozenset().union(*named) if len(named) == len(sides) else None


def _told(recorded: Signed, found: Difference) -> Json:
    subject, request = recorded.document["subject"], recorded.document.get("request", {})
    return {
        "kind": "flip" if found.flipped else "other_findings",
        "index": recorded.index,
        "id": recorded.id,
        "recorded_at": recorded.recorded_at,
        "subject": {name: subject.get(name) for name in ("name", "version", "uri")},
        "request": {name: request.get(name) for name in ("action", "environment")},
        "owners": owners(recorded.document),
        "before": found.before,
        "after": found.after,
        "changes": [change.as_json() for change in found.changes],
        "reasons": {"before": list(found.reasons_before), "after": list(found.reasons_after)},
    }


def owners(document: Json) -> list[str]:
    """Who owns the model, as far as the input says: those who approved it as its owners."""
    approvals = document.get("approvals") or ()
    return sorted({each["approver"] for each in approvals if each.get("role") == OWNER_ROLE})


def examined(
    store: Store,
    start: int,
    examine: Callable[[Sequence[Stored]], Sequence[Examined]],
    *,
    threads: int | None = None,
) -> Generator[Examined]:
    """The entries from `start` on, examined, in their order.

    Of entries that are missing between others, the last one is told as damaged. What can no longer be read of
    the ledger is the last thing that is told.
    """
    # Half of the time a thread waits for OPA; the other half, one of them reads at a time.
    threads = threads or min(2 * len(os.sched_getaffinity(0)), _MOST_THREADS)
    following = start
    try:
        with (
            _few_collections(),
            closing(_in_order(_batches(store.entries(start)), examine, threads)) as in_order,
        ):
            for each in in_order:
                if each.index > following:
                    yield _missing(following, each.index - 1)
                yield each
                following = each.index + 1
    except NotRecorded as error:
        what = f"nothing from entry {following} on can be read: {error.what}"
        yield Examined(following, "damaged", damage(following, None, what))


@contextmanager
def _few_collections() -> Iterator[None]:
    """What is read of JSON has no cycles, but thousands of values among which Python would look for some."""
    before = gc.get_threshold()
    gc.set_threshold(_VALUES_BETWEEN_COLLECTIONS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _missing(first: int, last: int) -> Examined:
    what = "the entry is" if first == last else f"the entries {first} to {last} are"
    return Examined(last, "damaged", damage(last, None, f"{what} not in the ledger"))


def _batches(entries: Iterable[Stored]) -> Iterator[list[Stored]]:
    """The entries, some at a time; those before one that cannot be read come out before the error."""
    batch: list[Stored] = []
    size = 0
    unread: NotRecorded | None = None
    try:
        for entry in entries:
            batch.append(entry)
            size += len(entry.envelope or b"")
            if len(batch) == _MOST_AT_ONCE or size >= _LARGEST:
                yield batch
                batch, size = [], 0
    except NotRecorded as error:
        unread = error
    if batch:
        yield batch
    if unread is not None:
        raise unread


def _in_order(
    batches: Iterator[list[Stored]],
    examine: Callable[[Sequence[Stored]], Sequence[Examined]],
    threads: int,
) -> Generator[Examined]:
    window: deque[Future[Sequence[Examined]]] = deque()
    unread: NotRecorded | None = None
    with ThreadPoolExecutor(threads) as pool:
        try:
            while unread is None:
                try:
                    window.append(pool.submit(examine, next(batches)))
                except StopIteration:
                    break
                except NotRecorded as error:
                    unread = error
                if len(window) >= threads * _AHEAD:
                    yield from window.popleft().result()
            while window:
                yield from window.popleft().result()
        finally:
            for future in window:
                future.cancel()
    if unread is not None:
        raise unread
