"""Whose turn it is: so many at once, so many waiting, and nobody longer than the deadline.

A decision is made in a thread, and no thread can be stopped. So whoever has waited too long is sent away
before anything was begun, and what was begun is given the seconds that are left.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import anyio
from anyio import CapacityLimiter, to_thread

from ..opa.deadline import within
from .problems import Problem

Done = TypeVar("Done")

_RETRY_SECONDS = "1"


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

    async def run(self, work: Callable[[], Done], *, seconds: float | None = None) -> Done:
        """What `work` returns; OPA has no more time for it than is left. `Problem` 503 if it is not begun."""
        if self.taken >= self._most:
            self.refused()
            raise _overloaded(f"{self.taken} requests are being served or wait")
        allowed = self._seconds if seconds is None else min(seconds, self._seconds)
        end = time.monotonic() + allowed
        limiter = self._limiter = self._limiter or CapacityLimiter(self._at_once)
        self.taken += 1
        try:
            with anyio.move_on_after(allowed) as waiting:
                await limiter.acquire_on_behalf_of(token := object())
            if waiting.cancelled_caught:
                self.refused()
                raise _overloaded(f"its turn did not come within {allowed:g} s")
            try:
                # In a thread beyond AnyIO's own limit: this one is the limit.
                return await to_thread.run_sync(
                    lambda: _within(end - time.monotonic(), work), limiter=CapacityLimiter(1)
                )
            finally:
                limiter.release_on_behalf_of(token)
        finally:
            self.taken -= 1


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
