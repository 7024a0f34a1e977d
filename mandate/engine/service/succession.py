"""Who judges: one after the other, in one moment, while questions are being answered.

A question that was begun is answered by whoever it was begun with, who ends when the last such question is
answered. Whoever comes next waits until an OPA answers by its policies: an OPA of our own does so before it
is offered; a sidecar loads them in its own time.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from ..decision import Judgement, Policy
from ..errors import CouldNotDecide, MandateError, NotAnAnswer
from ..gate import Judge
from ..input import Input

_log = logging.getLogger(__name__)

Said = TypeVar("Said")


class ReadyJudge(Judge, Protocol):
    """A judge who says whether there is an OPA to ask."""

    def ready(self) -> None:
        """Return if OPA answers now with the expected policies; `CouldNotDecide` if not."""


@dataclass(eq=False)
class Generation:
    """A judge, and what goes with it."""

    judge: ReadyJudge
    begin: Callable[[], None]
    """Called before its first answer counts; raises if none may."""
    close: Callable[[], None]
    _questions: int = field(default=0, init=False)
    _is_over: bool = field(default=False, init=False)


class Succession:
    """The judge of a gate: always the newest generation that can judge. Threads share it."""

    def __init__(self, first: Generation) -> None:
        self._lock = threading.Lock()
        self._handing_over = threading.Lock()
        self._now = first
        self._next: Generation | None = None

    @property
    def policy(self) -> Policy:
        """The policies that must answer."""
        return self._now.judge.policy

    @property
    def waits(self) -> Policy | None:
        """The policies by which no OPA answers yet, if some were offered."""
        coming = self._next
        return None if coming is None else coming.judge.policy

    def judge(self, document: Input) -> Judgement:
        """As the judge does whose turn it is."""
        return self._asked(lambda judge: judge.judge(document))

    def ready(self) -> None:
        """As the judge does whose turn it is."""
        self._asked(lambda judge: judge.ready())

    def offer(self, coming: Generation) -> None:
        """Let this one judge as soon as an OPA answers by its policies."""
        with self._handing_over:
            before, self._next = self._next, coming
        if before is not None:
            before.close()

    def hand_over(self) -> bool:
        """Let the one that waits judge from now on, if it can; whether it does."""
        with self._handing_over:
            coming = self._next
            if coming is None:
                return False
            try:
                coming.judge.ready()
            except CouldNotDecide:
                return False
            self._next = None
            try:
                coming.begin()
            except MandateError as error:
                _log.error("policies that were to judge do not: %s", error)
                coming.close()
                return False
            with self._lock:
                before, self._now = self._now, coming
                before._is_over = True
                was_idle = before._questions == 0
        if was_idle:
            before.close()
        return True

    def close(self) -> None:
        """End whoever judges, and whoever waits."""
        with self._handing_over:
            coming, self._next = self._next, None
        for each in (self._now, coming):
            if each is not None:
                each.close()

    def _asked(self, ask: Callable[[ReadyJudge], Said]) -> Said:
        with self._turn() as asked:
            try:
                return ask(asked.judge)
            except NotAnAnswer:
                # A sidecar may hold the next policies already.
                if self._now is asked and not self.hand_over():
                    raise
        with self._turn() as asked:
            return ask(asked.judge)

    @contextmanager
    def _turn(self) -> Iterator[Generation]:
        with self._lock:
            asked = self._now
            asked._questions += 1
        try:
            yield asked
        finally:
            with self._lock:
                asked._questions -= 1
                is_last = asked._is_over and asked._questions == 0
            if is_last:
                asked.close()
