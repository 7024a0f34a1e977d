"""Whether the service can decide: OPA answers by the expected policies, and the ledger takes entries.

Whoever asks at `/readyz` is told how it is now. Beside that each process looks by itself, so that
measurements tell of a loss that nobody asks about; where decisions are made, they are the proof.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from ..errors import CouldNotDecide, MandateError, NotAnAnswer
from .metrics import Metrics
from .turns import Turns

_log = logging.getLogger(__name__)
_QUIET_SECONDS = 1.0
_LEDGER_SECONDS = 5.0
"""The ledger is asked less often: whoever asks whether it takes entries takes the writers' turn."""


class Readiness:
    """`opa` and `ledger` return if they are ready; `entries`: how many the ledger has."""

    def __init__(
        self,
        *,
        opa: Callable[[], None],
        ledger: Callable[[], None],
        entries: Callable[[], int],
        turns: Turns,
        at_once: int,
        metrics: Metrics,
    ) -> None:
        self._parts = {"opa": opa, "ledger": ledger}
        self._entries = entries
        self._turns = turns
        self._at_once = at_once
        self._metrics = metrics
        self._answered = self._recorded = 0.0
        self._said: dict[str, str] = {}
        self.opa_failures = 0
        """How often in a row OPA gave no answer at all."""

    def answered(self) -> None:
        """OPA gave a judgement."""
        self._answered = time.time()
        self.opa_failures = 0

    def recorded(self, entries: int) -> None:
        """The ledger took a decision, and has so many entries now."""
        self._recorded = time.time()
        self._metrics.entries.set(entries)

    def demand(self) -> None:
        """Return if the service can decide now; `MandateError` if not."""
        for part in self._parts:
            self._demand(part)

    def look(self) -> None:
        """Find out what nobody asked about."""
        now = time.time()
        if now - self._answered >= _QUIET_SECONDS:
            self._find_out("opa")
        else:
            self._metrics.ready.labels("opa").set(1)
        if now - self._recorded >= _LEDGER_SECONDS:
            self._recorded = now  # or so it is until the next look
            self._find_out("ledger")

    def publish(self) -> None:
        """Bring up to date what only this process knows."""
        self._metrics.opa_answered.set(self._answered)
        running = min(self._turns.taken, self._at_once)
        self._metrics.turns.labels("running").set(running)
        self._metrics.turns.labels("waiting").set(self._turns.taken - running)

    def _find_out(self, part: str) -> None:
        try:
            self._demand(part)
        except MandateError as error:
            if self._said.get(part) != error.what:  # once, and not every second
                _log.error("the service cannot decide: %s", error)
            self._said[part] = error.what
        else:
            if self._said.pop(part, None) is not None:
                _log.info("the service can decide again", extra={"part": part})

    def _demand(self, part: str) -> None:
        ready = self._metrics.ready.labels(part)
        try:
            self._parts[part]()
        except MandateError as error:
            ready.set(0)
            if part == "opa" and isinstance(error, CouldNotDecide) and not isinstance(error, NotAnAnswer):
                self.opa_failures += 1
            raise
        ready.set(1)
        if part == "opa":
            self.answered()
        else:
            self._metrics.entries.set(self._entries())
