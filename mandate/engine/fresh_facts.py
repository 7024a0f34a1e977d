"""Facts that were collected and signed minutes ago for the same files, and may serve a question of now.

They are those of recorded decisions, which were measured, and those that somebody sent ahead, which are
reported. Whoever judges is told of each where it comes from, and can refuse it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from .claim import as_reported
from .errors import NotRecorded
from .evidence.entries import ProvenEntries
from .evidence.key_status import How, KeyStatus
from .evidence.key_watch import KeyWatch
from .evidence.ledger import Stored
from .evidence.predicates.base import rfc3339_milliseconds
from .evidence.predicates.decision import DECISION_TYPE, DecisionPredicate
from .evidence.predicates.facts import FACTS_TYPE, FactsPredicate
from .evidence.public_keys import Believed
from .evidence.query import Query
from .evidence.standing import Ledger, ended
from .input import Collected, Input, Origin, Reused
from .input.gathering import Target

_log = logging.getLogger(__name__)
_LOOKED_AT = 20
"""So many entries of a kind, from the newest on."""


@dataclass(frozen=True, slots=True)
class Freshness:
    """What the policies say for one model in one environment."""

    minutes: Mapping[str, float]
    """By the collector's name, how old its facts may be."""
    reported: bool
    """Whether facts that are only reported count there."""


class FreshFacts:
    """Facts of earlier questions, for new ones about the same files: same action, same environment."""

    def __init__(
        self,
        opened: Callable[[], AbstractContextManager[Ledger]],
        keys: Believed,
        *,
        freshness: Callable[[Target, str], Freshness],
        revision: str,
        settings: Callable[[], Mapping[str, str]],
    ) -> None:
        """`opened` opens the ledger. `freshness` is given the risk tier, too. `revision`: of the policies in
        use, whose people are those who may send facts. `settings`: by the collector's name, their digest."""
        self._opened = opened
        self._keys = keys
        self._freshness = freshness
        self._revision = revision
        self._settings = settings

    def facts(
        self, target: Target, sha256: str, risk_tier: str, time: datetime
    ) -> Mapping[str, tuple[Any, Collected]]:
        """By the collector's name, the section of that name and its entry.

        The ledger is looked into only if any facts may be of before. What cannot be proven does not count.
        """
        said = self._freshness(target, risk_tier)
        minutes = {name: timedelta(minutes=most) for name, most in said.minutes.items() if most > 0}
        if not minutes:
            return {}
        settings = self._settings()
        found: dict[str, tuple[Any, Collected]] = {}
        asked = Query(
            sha256=sha256,
            model=target.name,
            version=target.version,
            environment=target.environment,
            action=target.action.value,
            since=rfc3339_milliseconds(time - max(minutes.values())),
        )
        with self._opened() as ledger:
            for document, reused in self._documents(ledger, asked, reported=said.reported):
                for entry in document.collection:
                    most = minutes.get(entry.name)
                    if most is None or entry.name in found or not isinstance(entry, Collected):
                        continue
                    if not _as_set(entry, settings):
                        continue
                    section = getattr(document, entry.name)
                    if section is not None and timedelta() <= time - entry.collected_at <= most:
                        known = entry.reused or reused
                        found[entry.name] = section, entry.model_copy(update={"reused": known})
        return found

    def _documents(self, ledger: Ledger, asked: Query, *, reported: bool) -> Iterator[tuple[Input, Reused]]:
        """The documents that were asked about, the newest first; those that were measured before others."""
        end = ended(ledger, asked.sha256 or "")
        entries = ProvenEntries(ledger, self._keys)
        status = KeyWatch(ledger, self._keys).status
        for kind in (DECISION_TYPE, FACTS_TYPE) if reported else (DECISION_TYPE,):
            page = ledger.search(replace(asked, kind=kind), before=None, most=_LOOKED_AT)
            for stored in page.entries:
                if end is None or end.index < stored.index:
                    yield from self._document(entries, status, stored)

    def _document(
        self, entries: ProvenEntries, status: KeyStatus, stored: Stored
    ) -> Iterator[tuple[Input, Reused]]:
        try:
            predicate, (keyid, *_) = entries.signed(stored)
        except NotRecorded as error:
            _log.warning("facts on record cannot be proven", extra={"reason": str(error)})
            return
        reused = Reused(entry=stored.id, index=stored.index, keyid=keyid)
        match predicate:
            case FactsPredicate():
                # Whose key it was then is proven. It must still be theirs.
                if keyid in self._keys.of_person(predicate.by, self._revision):
                    yield as_reported(predicate.input, predicate.by), reused
            case DecisionPredicate():
                revoked = any(ending.how is How.REVOKED for ending in status.endings.get(keyid, ()))
                if not revoked:
                    yield _measured(predicate.input), reused


def _as_set(entry: Collected, settings: Mapping[str, str]) -> bool:
    """Whether the collector would be asked for the same today. What was sent, somebody else collected."""
    return entry.origin is Origin.REPORTED or (
        entry.settings_sha256 is not None and entry.settings_sha256 == settings.get(entry.name)
    )


def _measured(document: Input) -> Input:
    """Without what somebody only claimed, or sent ahead: that is looked for where it was signed."""
    kept = tuple(
        entry
        for entry in document.collection
        if isinstance(entry, Collected) and entry.origin is Origin.MEASURED
    )
    return document.model_copy(update={"collection": kept})
