"""Group commit: what arrives together is stored together.

Storing durably takes milliseconds, whatever there is to store. So while one caller stores, the others line
up, and whoever's turn comes next stores for all of them. Nobody returns before what it brought is stored.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from ...errors import NotRecorded

Item = TypeVar("Item")
Stored = TypeVar("Stored")

_MOST = 512
"""Items that are stored at once; a caller that brings more brings them alone."""


class Refused(NotRecorded):
    """The store is well, and refuses an item: it is the item that is wrong, and others may be right."""


@dataclass(slots=True)
class _Waiting(Generic[Item, Stored]):
    items: Sequence[Item]
    stored: Sequence[Stored] = ()
    error: BaseException | None = None
    done: bool = field(default=False)


class GroupCommit(Generic[Item, Stored]):
    """Calls `store` with all items that wait, for all who wait. Threads share one."""

    def __init__(self, store: Callable[[Sequence[Item]], Sequence[Stored]]) -> None:
        self._store = store
        self._turn = threading.Lock()
        self._lock = threading.Lock()
        self._line: list[_Waiting[Item, Stored]] = []

    def __call__(self, items: Sequence[Item]) -> Sequence[Stored]:
        """Store these items, all of them or none. Errors are those of `store`."""
        mine: _Waiting[Item, Stored] = _Waiting(items)
        with self._lock:
            self._line.append(mine)
        with self._turn:
            while not mine.done:  # others may wait before it, more than are stored at once
                self._serve(self._next())
        if mine.error is not None:
            raise mine.error
        return mine.stored

    def _next(self) -> list[_Waiting[Item, Stored]]:
        with self._lock:
            taken, count = 0, 0
            for waiting in self._line:
                count += len(waiting.items)
                if taken and count > _MOST:
                    break
                taken += 1
            group, self._line = self._line[:taken], self._line[taken:]
        return group

    def _serve(self, group: list[_Waiting[Item, Stored]]) -> None:
        try:
            stored = self._store([item for waiting in group for item in waiting.items])
        except Refused as error:
            if len(group) == 1:
                group[0].error = error
            else:
                # One of them is refused; the others must not suffer for it.
                for waiting in group:
                    self._serve([waiting])
        except BaseException as error:
            for waiting in group:
                waiting.error = error
            if not isinstance(error, Exception):
                raise
        else:
            start = 0
            for waiting in group:
                waiting.stored = stored[start : start + len(waiting.items)]
                start += len(waiting.items)
        finally:
            for waiting in group:
                waiting.done = True
