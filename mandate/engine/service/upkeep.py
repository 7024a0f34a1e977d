"""A thread that looks after things, again and again."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

_log = logging.getLogger(__name__)
_FAREWELL_SECONDS = 2.0
"""A look that hangs, on an OPA that does, is not waited for longer."""


class Upkeep:
    """Calls `look` every so many seconds within its context; what it raises is logged."""

    def __init__(self, look: Callable[[], None], *, seconds: float) -> None:
        self._look = look
        self._seconds = seconds
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mandate-upkeep", daemon=True)

    def _run(self) -> None:
        while not self._ended.wait(self._seconds):
            try:
                self._look()
            except Exception as error:  # noqa: BLE001  (whoever looks after all must not end with one)
                _log.error("something could not be looked after", exc_info=error)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join(_FAREWELL_SECONDS)
