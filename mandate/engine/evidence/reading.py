"""A recorded decision, read back as the values that were recorded."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..decision import Judgement, Policy
from ..errors import BadRequest, UnknownSubject
from . import envelope as dsse
from .checks import examine
from .entries import ProvenEntries
from .envelope import Envelope
from .examinations import Examine
from .ledger import Reader, Stored
from .predicates.decision import DecisionPredicate, RequestKey, WhatIfPredicate
from .public_keys import PublicKey
from .receipt import Receipt, Record

_INDEX = re.compile(r"0|[1-9][0-9]{0,17}")
_PREFIX = re.compile(r"[0-9a-f][0-9a-f-]{3,35}")


def find(store: Reader, reference: str, keys: Mapping[str, PublicKey]) -> Record:
    """The decision with this id, this beginning of an id (four characters or more) or this index, verified.

    `UnknownSubject` if there is none or more than one; `NotRecorded` if the entry is not what was recorded.
    """
    return read(entry(store, reference), store, keys)


def read(
    stored: Stored, store: Reader, keys: Mapping[str, PublicKey], *, examined: Examine = examine
) -> Record:
    """The entry's content. `NotRecorded` if anything is wrong with it: what is shown is proven.

    `BadRequest` if it is no decision.
    """
    return read_with_request(stored, store, keys, examined=examined)[0]


def read_with_request(
    stored: Stored, store: Reader, keys: Mapping[str, PublicKey], *, examined: Examine = examine
) -> tuple[Record, RequestKey | None]:
    """The same, with the request that it answers, if that had a key."""
    predicate = ProvenEntries(store, keys, examined=examined).predicate(stored)
    if not isinstance(predicate, DecisionPredicate):
        raise BadRequest(
            "this entry is no decision",
            where=f"{store.location}, entry {stored.index}",
            next_step="See `mandate ledger show`",
        )
    assert stored.envelope is not None  # noqa: S101  (else nothing could be proven)
    envelope = dsse.parse(stored.envelope)
    return record_of(predicate, envelope, stored.index, stored.leaf), predicate.request


def record_of(predicate: DecisionPredicate, envelope: Envelope, index: int, leaf: bytes) -> Record:
    """The decision that the envelope in this place carries."""
    return Record(
        receipt=Receipt(
            id=predicate.id,
            index=index,
            recorded_at=predicate.recordedAt,
            leaf=leaf.hex(),
            keyid=envelope.signatures[0].keyid,
            origin=predicate.ledger.origin,
        ),
        document=predicate.input,
        judgement=Judgement(
            decision=predicate.decision,
            policy=Policy(revision=predicate.policy.revision, bundle_sha256=predicate.policy.bundleSha256),
            opa_version=predicate.opa.version,
        ),
        mandate_version=predicate.mandate.version,
        envelope=envelope,
        what_if=isinstance(predicate, WhatIfPredicate),
    )


def entry(store: Reader, reference: str) -> Stored:
    """The entry that a reference means, unverified; `UnknownSubject` as `find` raises it."""
    wanted = reference.strip().lower()
    # Ids begin with the time; until the year 2527 that is a zero, so no id's beginning looks like an index.
    matches: tuple[Stored, ...] = ()
    if _INDEX.fullmatch(wanted):
        found = store.at(int(wanted))
        matches = () if found is None else (found,)
    elif _PREFIX.fullmatch(wanted):
        matches = store.starting_with(wanted, limit=2)
    if len(matches) == 1:
        return matches[0]
    shown = ascii(reference)[:80]
    what = f"more than one decision's id begins with {shown}" if matches else f"there is no decision {shown}"
    raise UnknownSubject(
        what,
        where=store.location,
        next_step="Give more of its id" if matches else "Give a decision's id, its beginning, or its index",
    )
