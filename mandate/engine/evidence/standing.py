"""Whether an allow stands for an artifact in an environment: what the ledger says of it last.

An allow stands until a later decision denies, until the model is retired, until the permission, an approval
or a waiver of the same files is revoked, or until a waiver that it rests on expires. It does not end because
the model ages: that is for the action `monitor`. Nor does an undecided outcome end it: nobody decided then.

Entries are found by their columns; those that the answer rests on are proven before it is given.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from ..decision import Outcome
from ..input import Action
from . import predicates, reading
from .checks import examine
from .examinations import Examine
from .ledger import Reader, Stored
from .predicates.acts import ActOutcome
from .predicates.alias_move import ALIAS_MOVE_TYPE
from .predicates.approval import APPROVAL_TYPE
from .predicates.base import rfc3339_milliseconds
from .predicates.break_glass import BREAK_GLASS_TYPE
from .predicates.decision import DECISION_TYPE, WHAT_IF_TYPE
from .predicates.export import EXPORT_TYPE
from .predicates.facts import FACTS_TYPE
from .predicates.opening import OPENING_TYPE
from .predicates.policy_release import POLICY_RELEASE_TYPE
from .predicates.promotion import PROMOTION_TYPE
from .predicates.retirement import RETIREMENT_TYPE
from .predicates.rollback import ROLLBACK_TYPE
from .predicates.waiver import WAIVER_TYPE
from .public_keys import PublicKey
from .query import Query, Searchable
from .receipt import Record

_ACTIONS = (Action.DEPLOY, Action.PROMOTE)
"""Whose decisions say whether a model may be deployed."""
_HARMLESS = frozenset(
    {
        ALIAS_MOVE_TYPE,
        APPROVAL_TYPE,
        BREAK_GLASS_TYPE,
        DECISION_TYPE,
        EXPORT_TYPE,
        FACTS_TYPE,
        OPENING_TYPE,
        POLICY_RELEASE_TYPE,
        PROMOTION_TYPE,
        ROLLBACK_TYPE,
        WAIVER_TYPE,
        WHAT_IF_TYPE,
        *predicates.KEY_EVENT_TYPES,
    }
)
"""Entries that end no permission. Whatever else is about the artifact does, kinds that come later too."""
_DONE = {RETIREMENT_TYPE: ActOutcome.DONE.value}
"""What ends a permission only once it has come about."""


class Ledger(Reader, Searchable, Protocol):
    """A ledger that can be read and looked through."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What the ledger says of an artifact in an environment."""

    allowed: bool
    reason: str
    """One sentence."""
    record: Record | None = None
    """The decision that allows, or that the reason rests on."""
    until: datetime | None = None
    """The first instant at which the allow does not stand any more, as far as it is known."""


def look_up(
    ledger: Ledger,
    keys: Mapping[str, PublicKey],
    *,
    sha256: str,
    environment: str,
    now: datetime,
    examined: Examine = examine,
    model: str | None = None,
    version: str | None = None,
) -> Standing:
    """What stands at `now` for this digest, and for this model version if one is named.

    `NotRecorded` if nobody can say, or if what was found is not what was recorded.
    """

    def newest(outcome: Outcome, **of: str | None) -> Stored | None:
        queries = (
            Query(
                kind=DECISION_TYPE,
                sha256=sha256,
                environment=environment,
                outcome=outcome.value,
                action=action.value,
                **of,
            )
            for action in _ACTIONS
        )
        return _newest(ledger, queries)

    allow = newest(Outcome.ALLOW, model=model, version=version)
    if allow is None:
        named = f" of {model}/{version}" if model else ""
        return Standing(False, f"No decision allows this digest{named} in {environment}.")
    record = reading.read(allow, ledger, keys, examined=examined)
    denial = newest(Outcome.DENY)  # of the same files, whatever they are called
    if denial is not None and denial.index > allow.index:
        denied = reading.read(denial, ledger, keys, examined=examined)
        return Standing(False, f"The decision {denied.receipt.id} denied it since.", denied)
    if (end := ended(ledger, sha256)) is not None and end.index > allow.index:
        kind = end.kind.rpartition("/v")[0].rpartition("/")[2]
        return Standing(False, f"It was ended since, by the entry {end.index} ({kind}).", record)
    until = _until(record)
    if until is not None and until <= now:
        expired = rfc3339_milliseconds(until)
        return Standing(False, f"A waiver that the allow rests on expired at {expired}.", record, until)
    return Standing(True, f"The decision {record.receipt.id} allows it.", record, until)


def ended(ledger: Ledger, sha256: str) -> Stored | None:
    """The newest entry that ends what was allowed of this digest, unverified."""
    return _newest(ledger, _ends(sha256))


def _ends(sha256: str) -> Iterator[Query]:
    for kind in sorted(predicates.TYPES - _HARMLESS):
        yield Query(kind=kind, sha256=sha256, outcome=_DONE.get(kind))


def _newest(ledger: Ledger, queries: Iterator[Query]) -> Stored | None:
    found = (ledger.search(query, before=None, most=1).entries for query in queries)
    return max((page[0] for page in found if page), key=lambda stored: stored.index, default=None)


def _until(record: Record) -> datetime | None:
    """When the first of the waivers expires that the allow needed."""
    expiries = [
        datetime.fromisoformat(waiver.expires).astimezone(UTC)
        for waiver in record.judgement.decision.waivers
        if waiver.used and waiver.expires is not None
    ]
    return min(expiries, default=None)
