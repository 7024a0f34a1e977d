"""Who judges in one process of the service: the policies in use, those that come next, and their OPA.

A release (a signed bundle, see `policy_key`) that is put where the old one lay takes over without a restart.
One that is not accepted changes nothing but what is said of it. Policies in folders, which nobody released,
stay as they were when the service started.
"""

from __future__ import annotations

import logging
import time
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from . import composition
from .engine.configuration import Configuration
from .engine.decision import Judgement
from .engine.errors import BadPolicy, MandateError
from .engine.evidence.first_use import FirstUse
from .engine.evidence.predicates.decision import RequestKey
from .engine.evidence.receipt import Record
from .engine.evidence.recorder import Recorder
from .engine.input import Input
from .engine.policy.bundle import Bundle
from .engine.policy.releases import Release
from .engine.service.metrics import Metrics
from .engine.service.succession import Generation, Succession

_log = logging.getLogger(__name__)
_GARBAGE = 800
"""Percent, see `LocalOpa`: an OPA that is asked all day collects garbage an eighth as often."""


@dataclass(frozen=True, slots=True)
class _Policies:
    bundle: Bundle
    release: Release | None


class Judging:
    """The policies of one process, from its construction to `close`. `BadPolicy` if there are none to use."""

    def __init__(self, configuration: Configuration, recorder: Recorder, metrics: Metrics) -> None:
        self._configuration = configuration
        self._recorder = recorder
        self._metrics = metrics
        self._file = configuration.path(configuration.settings.policies[0])
        self._seen = _stamp(self._file)
        self._refusal: str | None = None
        self.evidence = Uses(recorder)
        release = composition.policy_release(configuration)
        composition.demand_newest(configuration, release)
        self._in_use = _Policies(composition.compiled_policies(configuration, release), release)
        first = self._generation(self._in_use)
        try:
            first.begin()
        except MandateError:
            first.close()
            raise
        self.judge = Succession(first)

    @property
    def bundle(self) -> Bundle:
        """The policies in use."""
        return self._in_use.bundle

    @property
    def notes(self) -> tuple[str, ...]:
        """What people should know of new policies that do not judge."""
        if self._refusal is not None:
            return (f"the new policies are not used, and those before them judge: {self._refusal}",)
        if (waits := self.judge.waits) is not None:
            return (f"no OPA answers by the new policies yet, {waits.revision}",)
        return ()

    def close(self) -> None:
        """End every OPA of our own."""
        self.judge.close()

    def follow(self) -> None:
        """Let new policies judge, if there are any, and if they may."""
        if self._in_use.release is None:
            return
        if (stamp := _stamp(self._file)) != self._seen:
            try:
                coming = self._coming()
            except MandateError as error:
                if isinstance(error, BadPolicy):
                    self._seen = stamp  # it stays what it is; whatever else is wrong may pass
                self._refuse(error)
                return
            self._seen, self._refusal = stamp, None
            if coming is not None:
                self.judge.offer(coming)
        if self.judge.waits is not None:
            self.judge.hand_over()

    def replace(self) -> None:
        """Let another OPA of our own judge by the policies in use: the one that did is lost."""
        if self._configuration.settings.opa.url is None:
            self.judge.offer(self._answering(self._in_use))
            self.judge.hand_over()

    def _coming(self) -> Generation | None:
        """By the release in the file; `None` if it is the one in use."""
        release = composition.policy_release(self._configuration)
        now = self._in_use.release
        if release is None or now is None or _named(release) == _named(now):
            return None
        composition.demand_newest(self._configuration, release)
        bundle = composition.compiled_policies(self._configuration, release)
        return self._answering(_Policies(bundle, release))

    def _answering(self, policies: _Policies) -> Generation:
        """A generation; if it has an OPA of our own, that answers already."""
        made = self._generation(policies)
        try:
            if self._configuration.settings.opa.url is None:
                made.judge.ready()
        except MandateError:
            made.close()
            raise
        return made

    def _generation(self, policies: _Policies) -> Generation:
        stack = ExitStack()
        judge = stack.enter_context(composition.judge(self._configuration, policies.bundle, garbage=_GARBAGE))
        return Generation(judge, lambda: self._begin(policies), stack.close)

    def _begin(self, policies: _Policies) -> None:
        bundle, release = policies.bundle, policies.release
        try:
            if release is not None:
                release.use(composition.policy_store(self._configuration))
        except MandateError as error:
            self._refuse(error)
            raise
        self.evidence.expect(bundle.revision, composition.first_use(self._recorder, release))
        if policies is not self._in_use:
            _log.info("new policies judge", extra={"revision": bundle.revision})
            self._metrics.takeovers.labels("taken").inc()
        self._in_use = policies
        self._metrics.policy_since.set(time.time())
        self._metrics.policy_release.set(0 if release is None else release.number)

    def _refuse(self, error: MandateError) -> None:
        if self._refusal != error.what:
            _log.error("the new policies are not used: %s", error)
            self._metrics.takeovers.labels("refused").inc()
        self._refusal = error.what


class Uses:
    """Records decisions by policies of which the ledger says that they began to decide, whichever judged."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._by_revision: dict[str, FirstUse] = {}

    def expect(self, revision: str, use: FirstUse) -> None:
        """Decisions by this revision may come from now on."""
        self._by_revision[revision] = use

    def latest(self) -> datetime:
        """As `Recorder.latest`."""
        return self._recorder.latest()

    def answered(self, request: RequestKey) -> Record | None:
        """As `Recorder.answered`."""
        return self._recorder.answered(request)

    def record(
        self, document: Input, judgement: Judgement, *, request: RequestKey | None, what_if: bool
    ) -> Record:
        """As `FirstUse.record`."""
        use = self._by_revision[judgement.policy.revision]
        return use.record(document, judgement, request=request, what_if=what_if)


def _named(release: Release) -> tuple[str, int, str]:
    return release.keyid, release.number, release.revision


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size
