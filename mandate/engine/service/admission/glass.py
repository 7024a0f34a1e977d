"""Breaking the glass: who may, with which reason, and for what it was broken already."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from ...errors import NotRecorded
from ...evidence.entries import ProvenEntries
from ...evidence.predicates.base import rfc3339_milliseconds
from ...evidence.predicates.break_glass import BREAK_GLASS_TYPE, BreakGlassPredicate
from ...evidence.public_keys import PublicKey
from ...evidence.query import Query
from ...evidence.standing import Ledger
from .governed import BREAK_GLASS, Governed

_LONGEST_REASON = 2000
_LOOKED_AT = 200


def reason(governed: Governed) -> str | None:
    """The reason that the object gives everywhere; `None` if it gives none that counts."""
    said = governed.annotation(BREAK_GLASS)
    if said is None or governed.contradictions() or not said.strip() or len(said) > _LONGEST_REASON:
        return None
    return said


def permitting(permitted: Iterable[str], groups: Iterable[str]) -> tuple[str, ...]:
    """Those of a person's groups that may break glass."""
    return tuple(sorted(set(permitted) & set(groups)))


def broken(
    ledger: Ledger,
    keys: Mapping[str, PublicKey],
    *,
    environment: str,
    namespace: str,
    sha256: str,
    since: datetime,
) -> BreakGlassPredicate | None:
    """For which object with these governed facts, in this namespace, the glass was broken since then.

    Controllers make the Pods of a workload in their own name. What they make pulls and says the same.
    """
    wanted = Query(kind=BREAK_GLASS_TYPE, environment=environment, since=rfc3339_milliseconds(since))
    proven = ProvenEntries(ledger, keys)
    for stored in ledger.search(wanted, before=None, most=_LOOKED_AT).entries:
        found = proven.predicate(stored)
        if not isinstance(found, BreakGlassPredicate):
            raise NotRecorded("the entry is of another kind than it is found by", where=ledger.location)
        if (found.factsSha256, found.object.namespace) == (sha256, namespace):
            return found
    return None
