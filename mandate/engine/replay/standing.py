"""Policies in an OPA of our own that answers thousands of questions, some of which it may not survive."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from ..decision import Decision, Policy
from ..errors import CouldNotDecide, NotAnAnswer, OpaUnavailable
from ..opa.client import OpaClient
from ..opa.judge import OpaJudge
from ..opa.process import LocalOpa
from .difference import Json

_MOST_STARTS = 20
"""An OPA that had to be started so often is not on its feet for the rest either."""
_TRIES = 3
_LARGEST = 192 << 10
"""Bytes of inputs about which OPA is asked at once."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the gate would have answered."""

    decision: Json
    answered: bool
    """Whether OPA answered, and with a decision of the expected policies; if not, it is undecided."""
    rules: frozenset[str] | None = None
    """The rules that were judged, where the findings of all others are those on record; `None`: all."""
    recorded: bool = False
    """Whether it is the decision on record, and nothing was judged."""


class StandingOpa:
    """One bundle in one OPA, from entering the context on. Threads may share it.

    `start`: makes the OPA, not yet started. `policy`, `rules`, `trusts_any_version`: as `OpaJudge` takes
    them. `timeout`: seconds for one question.
    """

    def __init__(
        self,
        start: Callable[[], LocalOpa],
        policy: Policy,
        *,
        timeout: float,
        rules: Collection[str],
        trusts_any_version: bool = False,
        batches: bool = False,
    ) -> None:
        self._start = start
        self._policy = policy
        self._timeout = timeout
        self._rules = rules
        self._trusts_any_version = trusts_any_version
        self._takes_batches = batches
        self._lock = threading.Lock()
        self._starts = 0
        self._opa: LocalOpa | None = None
        self._client: OpaClient | None = None
        self._judge: OpaJudge | None = None

    def verdict(self, question: bytes) -> Verdict:
        """What is decided on this input, canonical JSON; undecided where OPA gives no answer to it.

        `OpaUnavailable` only if OPA does not start, or no longer stays up.
        """
        try:
            return _answered(self._decision(question))
        except NotAnAnswer as error:
            return _undecided(error)
        except CouldNotDecide as error:
            return self._once_more(question, error)

    def verdicts(self, questions: Sequence[bytes]) -> list[Verdict]:
        """As `verdict` says on each of these inputs, where it can be at once.

        What went wrong with one of them is found out by asking about it alone.
        """
        decisions = self._at_once(questions)
        return [
            self.verdict(question) if decision is None else _answered(decision)
            for question, decision in zip(questions, decisions, strict=True)
        ]

    def decisions(self, questions: Sequence[bytes]) -> list[Decision | None]:
        """What is decided on each of these inputs; `None` where OPA gives no answer, for whatever reason."""
        decisions = self._at_once(questions)
        return [
            self._decision_or_none(question) if decision is None else decision
            for question, decision in zip(questions, decisions, strict=True)
        ]

    def _at_once(self, questions: Sequence[bytes]) -> list[Decision | None]:
        return [decision for batch in _batches(questions) for decision in self._batch(batch)]

    def _batch(self, questions: Sequence[bytes]) -> Sequence[Decision | None]:
        judge = self._judge
        if self._takes_batches and judge is not None and len(questions) > 1:
            with suppress(CouldNotDecide):
                return judge.decisions(questions)
        return [None] * len(questions)

    def _decision_or_none(self, question: bytes) -> Decision | None:
        with suppress(CouldNotDecide):
            return self._decision(question)
        return None

    def _decision(self, question: bytes) -> Decision:
        judge = self._judge
        if judge is None:
            raise OpaUnavailable("OPA is being started")
        return judge.judge_json(question).decision

    def _once_more(self, question: bytes, error: CouldNotDecide) -> Verdict:
        """Perhaps another thread's question brought OPA down, and this one is as good as any."""
        with self._lock:
            for _ in range(_TRIES):
                if self._is_up():
                    try:
                        return _answered(self._decision(question))
                    except CouldNotDecide as again:
                        error = again
                if self._is_up():
                    break
                self._begin()
        return _undecided(error)

    def _is_up(self) -> bool:
        try:
            if self._client is not None:
                self._client.health()
                return True
        except CouldNotDecide:
            pass
        return False

    def _begin(self) -> None:
        self._end()
        self._starts += 1
        if self._starts > _MOST_STARTS:
            raise OpaUnavailable(
                f"OPA ended {_MOST_STARTS} times while it was asked",
                where="OPA on this machine",
                next_step="Try it with fewer decisions (`--last`), or with another OPA",
            )
        self._opa = self._start()
        self._opa.ready()
        self._client = OpaClient(self._opa.url, timeout=self._timeout)
        self._judge = OpaJudge(
            self._client,
            self._policy,
            beside=self._opa.beside,
            rules=self._rules,
            trusts_any_version=self._trusts_any_version,
        )

    def _end(self) -> None:
        opa, client = self._opa, self._client
        self._opa = self._client = self._judge = None
        if client is not None:
            client.close()
        if opa is not None:
            opa.close()

    def __enter__(self) -> Self:
        self._begin()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()


def _batches(questions: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    """The questions in their order, some at a time: what OPA takes for them is many times their size."""
    begin, size = 0, 0
    for end, question in enumerate(questions):
        if size + len(question) > _LARGEST and begin < end:
            yield questions[begin:end]
            begin, size = end, 0
        size += len(question)
    yield questions[begin:]


def _answered(decision: Decision) -> Verdict:
    return Verdict(decision.model_dump(mode="json"), answered=True)


def _undecided(error: CouldNotDecide) -> Verdict:
    return Verdict(Decision.undecided(str(error)).model_dump(mode="json"), answered=False)
