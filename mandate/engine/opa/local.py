"""Judges with an OPA of our own, which is started when it is needed."""

from __future__ import annotations

import threading
from collections.abc import Collection
from types import TracebackType
from typing import Self

from ..decision import Judgement, Policy
from ..input.document import Input
from .client import OpaClient
from .judge import OpaJudge
from .process import LocalOpa


class LocalJudge:
    """Policies in a `LocalOpa`. Why there is no OPA is raised by `judge`, so that it is recorded.

    `timeout`: seconds for one question. `rules`: as `OpaJudge` takes them.
    """

    def __init__(self, opa: LocalOpa, policy: Policy, *, timeout: float, rules: Collection[str] = ()) -> None:
        self._opa = opa
        self._policy = policy
        self._timeout = timeout
        self._rules = rules
        self._lock = threading.Lock()
        self._judge: OpaJudge | None = None
        self._client: OpaClient | None = None

    @property
    def policy(self) -> Policy:
        """The policies that must answer."""
        return self._policy

    def judge(self, document: Input) -> Judgement:
        """As `OpaJudge.judge`. The first call waits for OPA, and raises what `LocalOpa.ready` raises."""
        return self._started().judge(document)

    def ready(self) -> None:
        """As `OpaJudge.ready`."""
        self._started().ready()

    def _started(self) -> OpaJudge:
        with self._lock:
            if self._judge is None:
                self._opa.ready()
                self._client = OpaClient(self._opa.url, timeout=self._timeout)
                self._judge = OpaJudge(self._client, self._policy, beside=self._opa.beside, rules=self._rules)
            return self._judge

    def close(self) -> None:
        """Stop OPA."""
        with self._lock:
            if self._client is not None:
                self._client.close()
            self._judge = self._client = None
            self._opa.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
