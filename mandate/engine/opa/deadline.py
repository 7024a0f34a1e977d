"""The time that whoever asks us leaves for all questions to OPA together."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from ..http.failures import Late

_END: ContextVar[float | None] = ContextVar("end", default=None)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Whatever is asked of OPA in this context, in this thread, ends after so many seconds altogether."""
    token = _END.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _END.reset(token)


def allowed(seconds: float) -> float:
    """So many seconds, or those that `within` leaves, if they are fewer. `Late` if there are none."""
    end = _END.get()
    left = seconds if end is None else min(seconds, end - time.monotonic())
    if left <= 0:
        raise Late(seconds)
    return left
