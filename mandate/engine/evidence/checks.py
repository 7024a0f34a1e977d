"""Everything that can be wrong with one entry, apart from its place among the others.

1. the leaf is the digest of the stored envelope
2. the envelope is a DSSE envelope, and nothing else
3. the statement is canonical JSON of the published shape
4. every signature is by a key that may sign such a statement, and right
5. the statement agrees with itself: subject, digests, outcome
6. it was made for this ledger
7. the columns say what the envelope says
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields

from ..errors import BadInput
from . import envelope as dsse
from . import statement
from .columns import Columns
from .ledger import Stored
from .predicates.base import Predicate, Statement, rfc3339_milliseconds
from .public_keys import PublicKey, keys_of

_COLUMNS = fields(Columns)


@dataclass(frozen=True, slots=True)
class Examined:
    """An entry that was looked at."""

    faults: tuple[str, ...] = ()
    """What is wrong with it, one clause each."""
    predicate: Predicate | None = None
    """What it says; `None` if that cannot be read."""
    signers: tuple[str, ...] = ()
    """The ids of the keys that are to have signed it: they did, if there is no fault."""


def faults(stored: Stored, origin: str, keys: Mapping[str, PublicKey]) -> tuple[str, ...]:
    """What is wrong with the entry of the ledger named `origin`, one clause each; nothing if it is right."""
    return examine(stored, origin, keys).faults


def examine(stored: Stored, origin: str, keys: Mapping[str, PublicKey]) -> Examined:
    """The entry of the ledger named `origin`, and what is wrong with it."""
    if stored.envelope is None:
        return Examined(("its envelope is gone",))
    found: list[str] = []
    if hashlib.sha256(stored.envelope).digest() != stored.leaf:  # 1
        found.append("its envelope does not have the digest that is stored as its leaf")
    try:
        envelope = dsse.parse(stored.envelope)  # 2
    except BadInput as error:
        return Examined((*found, error.what))
    signers = tuple(made.keyid for made in envelope.signatures)
    stated: Statement[Predicate] | None = None
    unread: tuple[str, ...] = ()
    try:
        stated = statement.read(envelope.payload)  # 3
    except BadInput as error:
        unread = (error.what,)
    try:
        dsse.verify(envelope, keys if stated is None else keys_of(keys, stated.predicate.signer))  # 4
    except BadInput as error:
        found.append(error.what)
    if stated is None:
        return Examined((*found, *unread), signers=signers)
    found += statement.contradictions(stated, statement.parse(envelope.payload))  # 5
    if stated.predicate.ledger.origin != origin:  # 6
        found.append(f"it was made for another ledger, {ascii(stated.predicate.ledger.origin)[:100]}")
    found += _other_columns(stored, stated)  # 7
    return Examined(tuple(found), stated.predicate, signers)


def _other_columns(stored: Stored, stated: Statement[Predicate]) -> Iterator[str]:
    predicate = stated.predicate
    signed = predicate.columns()
    columns = {
        "id": (stored.id, predicate.id),
        "kind": (stored.kind, stated.predicateType),
        "recorded_at": (stored.recorded_at, rfc3339_milliseconds(predicate.recordedAt)),
    } | {each.name: (getattr(stored.columns, each.name), getattr(signed, each.name)) for each in _COLUMNS}
    for name, (column, said) in columns.items():
        if column != said:
            yield f"its column {name} says {_shown(column)}, but signed is {_shown(said)}"


def _shown(column: object) -> str:
    if isinstance(column, tuple):
        column = ", ".join(f"{mention.kind} {mention.name}" for mention in column)
    return ascii(column)[:100]
