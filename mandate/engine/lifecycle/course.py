"""What was done to models so far, as the log says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Protocol

from ..evidence.entries import ProvenEntries
from ..evidence.ledger import Reader, Stored
from ..evidence.predicates.acts import ActOutcome, ActPredicate, Phase, VersionStated
from ..evidence.predicates.alias_move import ALIAS_MOVE_TYPE, AliasMovePredicate
from ..evidence.predicates.base import Predicate
from ..evidence.predicates.promotion import PROMOTION_TYPE
from ..evidence.predicates.retirement import RETIREMENT_TYPE
from ..evidence.predicates.rollback import ROLLBACK_TYPE
from ..evidence.public_keys import PublicKey
from ..evidence.query import MOST, Query, Searchable

ACT_TYPES = (PROMOTION_TYPE, ROLLBACK_TYPE, RETIREMENT_TYPE)


class Ledger(Reader, Searchable, Protocol):
    """A ledger that can be read and looked through."""


@dataclass(frozen=True, slots=True)
class Intent:
    """An act of which the log does not say what became."""

    index: int
    predicate: ActPredicate

    @property
    def what(self) -> str:
        """Who intended what, one clause."""
        return intended(self.predicate.by, self.predicate.ACTION, self.predicate.uri)


@dataclass(slots=True)
class Course:
    """Where the acts on one registry have led, in the log's order."""

    aliases: dict[tuple[str, str], VersionStated | None] = field(default_factory=dict)
    """By model and alias, the version that the alias was moved to last."""
    digests: dict[tuple[str, str], str] = field(default_factory=dict)
    """By model and version, the artifact's digest as it was stated last."""
    latest: dict[str, str] = field(default_factory=dict)
    """By model, the id of the latest intent."""
    retired: dict[tuple[str, str], int] = field(default_factory=dict)
    """By model and version, the index of the entry that says it was retired."""
    under_way: dict[str, Intent] = field(default_factory=dict)
    """By their ids, the intents without a result."""

    def follow(self, index: int, predicate: Predicate) -> None:
        """Reckon with the next entry."""
        if isinstance(predicate, AliasMovePredicate):
            self._move(predicate.model, predicate.move.alias, predicate.move.toVersion)
        elif isinstance(predicate, ActPredicate) and predicate.phase is Phase.INTENT:
            self.latest[predicate.model] = predicate.id
            self.under_way[predicate.id] = Intent(index, predicate)
        elif isinstance(predicate, ActPredicate):
            self.under_way.pop(predicate.intent or "", None)
            self._know(predicate.model, predicate.version)
            for move in predicate.moves:
                self._move(predicate.model, move.alias, move.toVersion)
            if predicate.TYPE == RETIREMENT_TYPE and predicate.outcome is ActOutcome.DONE:
                self.retired[predicate.model, predicate.version.version] = index

    def _move(self, model: str, alias: str, version: VersionStated | None) -> None:
        self.aliases[model, alias] = version
        if version is not None:
            self._know(model, version)

    def _know(self, model: str, version: VersionStated) -> None:
        if version.sha256 is not None:
            self.digests[model, version.version] = version.sha256


def intended(by: str | None, action: str | None, uri: str) -> str:
    """Who intended what, one clause."""
    return f"{by or 'somebody'} was about to {action} {uri}"


def course(
    store: Ledger, keys: Mapping[str, PublicKey], registry: str, *, model: str | None = None
) -> Course:
    """Where the acts on a registry have led, or those on one model. `NotRecorded` if an entry is damaged."""
    proven, found = ProvenEntries(store, keys), Course()
    for stored in _acts(store, model):
        predicate = proven.predicate(stored)
        if getattr(predicate, "registry", None) == registry:
            found.follow(stored.index, predicate)
    return found


def unsettled(store: Ledger) -> Iterator[Stored]:
    """The intents without a result, as the columns say, which nobody has verified."""
    for kind in ACT_TYPES:
        for stored in _newest_first(store, Query(kind=kind, outcome=Phase.INTENT.value)):
            if store.requested(f"result:{stored.id}") is None:
                yield stored


def _acts(store: Ledger, model: str | None) -> list[Stored]:
    """All entries about acts and moves of aliases, by index."""
    kinds = (*ACT_TYPES, ALIAS_MOVE_TYPE)
    found = [
        (stored.index, stored)
        for kind in kinds
        for stored in _newest_first(store, Query(kind=kind, model=model))
    ]
    return [stored for _, stored in sorted(found, key=itemgetter(0))]


def _newest_first(store: Ledger, query: Query) -> Iterator[Stored]:
    before: int | None = None
    while True:
        page = store.search(query, before=before, most=MOST)
        yield from page.entries
        if (before := page.before) is None:
            return
