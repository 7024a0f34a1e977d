"""States that policies begin to decide, before the first decision by them is recorded."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

from ..decision import Judgement, Policy
from ..input.document import Input
from .columns import release_key
from .predicates.decision import RequestKey
from .receipt import Record
from .recorder import AlreadyRecorded, Recorder


class FirstUse:
    """A recorder of decisions by policies that nobody signed, or of a `release`: its number and its key's id.

    It looks once for each revision. Of two processes that begin to use one at the same time, one states it.
    """

    def __init__(self, recorder: Recorder, release: tuple[int, str] | None) -> None:
        self._recorder = recorder
        self._release = release
        self._stated: set[str] = set()

    def latest(self) -> datetime:
        """The latest time on record. `NotRecorded` if nobody can say."""
        return self._recorder.latest()

    def answered(self, request: RequestKey) -> Record | None:
        """The decision that answers this request already, as `Recorder.answered` says."""
        return self._recorder.answered(request)

    def record(
        self, document: Input, judgement: Judgement, *, request: RequestKey | None, what_if: bool
    ) -> Record:
        """Record the decision, as `Recorder.record` says. Nothing decided if no OPA answered, or if it was
        only asked what would be."""
        if judgement.opa_version is not None and not what_if:
            self._state(judgement.policy, by=document.request.requested_by)
        return self._recorder.record(document, judgement, request=request, what_if=what_if)

    def _state(self, policy: Policy, *, by: str) -> None:
        if policy.revision in self._stated:
            return
        if not self._recorder.has(release_key(policy.revision, self._release)):
            self._say(policy, by)
        self._stated.add(policy.revision)

    def _say(self, policy: Policy, by: str) -> None:
        from .predicates.policy_release import PolicyReleasePredicate, SignedRelease

        with suppress(AlreadyRecorded):
            self._recorder.event(
                PolicyReleasePredicate,
                revision=policy.revision,
                bundleSha256=policy.bundle_sha256,
                release=self._release and SignedRelease(number=self._release[0], keyid=self._release[1]),
                by=by,
            )
