"""One deadline for many steps."""

from __future__ import annotations

import time


class Deadline:
    """An instant after which nothing is waited for."""

    __slots__ = ("_at", "seconds")

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        """The time that was given, in seconds."""
        self._at = time.monotonic() + seconds

    def remaining(self) -> float:
        """Seconds that are left, more than 0. `TimeoutError` if there are none."""
        left = self._at - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left
