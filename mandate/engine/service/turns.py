"""Whose turn it is: so many at once, so many waiting, and nobody longer than the deadline.

A decision is made in a thread, and no thread can be stopped. So whoever has waited too long is sent away
before anything was begun, and what was begun is given the seconds that are left. Where it takes longer for
all that, a ledger that is locked say, the caller is told so; the thread has its turn until it ends.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Generic, TypeVar

import anyio
from anyio import CapacityLimiter, to_thread

from ..opa.deadline import within
from .problems import Problem

Done = TypeVar("Done")

_RETRY_SECONDS = "1"
_RECORD_SECONDS = 2.0
"""Beyond the deadline: for putting on record that nobody decided."""


class Turns:
    """Runs work in threads: `at_once` at a time, while `waiting` more may wait, none over `seconds`."""

    def __init__(self, *, at_once: int, waiting: int, seconds: float) -> None:
        self._at_once = at_once
        self._most = at_once + waiting
        self._seconds = seconds
        self._limiter: CapacityLimiter | None = None
        self.taken = 0
        """Requests that are being served or wait."""
        self.refused: Callable[[], None] = lambda: None
        """Told of each request that is sent away."""

    async def run(self, work: Callable[[], Done], *, seconds: float | None = None, more: float = 0.0) -> Done:
        """What `work` returns; OPA has no more time for it than is left. `Problem` 503 if it is not begun, or
        takes longer than that and `more` seconds: then it goes on, and keeps its turn."""
        if self.taken >= self._most:
            self.refused()
            raise _overloaded(f"{self.taken} requests are being served or wait")
        allowed = self._seconds if seconds is None else min(seconds, self._seconds)
        end = time.monotonic() + allowed
        limiter = self._limiter = self._limiter or CapacityLimiter(self._at_once)
        self.taken += 1
        token = object()
        try:
            with anyio.move_on_after(allowed) as waiting:
                await limiter.acquire_on_behalf_of(token)
        except BaseException:
            self.taken -= 1
            raise
        if waiting.cancelled_caught:
            self.taken -= 1
            self.refused()
            raise _overloaded(f"its turn did not come within {allowed:g} s")

        def release() -> None:
            self.taken -= 1
            limiter.release_on_behalf_of(token)

        turn = _Turn(work, end, release)
        try:
            with anyio.move_on_after(end + more + _RECORD_SECONDS - time.monotonic()):
                # In a thread beyond AnyIO's own limit: this one is the limit.
                return await to_thread.run_sync(turn, limiter=CapacityLimiter(1), abandon_on_cancel=True)
        finally:
            turn.abandon()
        raise Problem(
            503,
            "Nobody can say now",
            f"it takes longer than {allowed + more:g} s",
            next_step="Ask again: with the same Idempotency-Key, what is decided meanwhile is the answer",
            headers={"Retry-After": _RETRY_SECONDS},
        )


class _Turn(Generic[Done]):
    """Work in a thread, which gives its turn back when it ends, though nobody may wait for it any more."""

    def __init__(self, work: Callable[[], Done], end: float, release: Callable[[], None]) -> None:
        self._work = work
        self._end = end
        self._release = release
        self._loop = asyncio.get_running_loop()
        self._begun = threading.Lock()
        """Held by whoever comes first: the thread, or who waits for it no longer."""

    def __call__(self) -> Done:
        if not self._begun.acquire(blocking=False):
            raise RuntimeError("nobody waits for it")
        try:
            return _within(self._end - time.monotonic(), self._work)
        finally:
            with suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._release)

    def abandon(self) -> None:
        """Give the turn back if the work was not begun; it will not be."""
        if self._begun.acquire(blocking=False):
            self._release()


def _within(seconds: float, work: Callable[[], Done]) -> Done:
    with within(seconds):
        return work()


def _overloaded(detail: str) -> Problem:
    return Problem(
        503,
        "The service has more to do than it can",
        detail,
        next_step="Ask again later",
        headers={"Retry-After": _RETRY_SECONDS},
    )
