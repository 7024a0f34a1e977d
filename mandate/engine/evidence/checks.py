"""Everything that can be wrong with one entry, apart from its place among the others.

1. the leaf is the digest of the stored envelope
2. the envelope is a DSSE envelope, and nothing else
3. every signature is by a known key, and right
4. the statement is canonical JSON of the published shape
5. the statement agrees with itself: subject, digests, outcome
6. it was made for this ledger
7. the columns say what the envelope says
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import fields

from ..errors import BadInput
from . import envelope as dsse
from . import statement
from .columns import Columns
from .ledger import Stored
from .predicates.base import Predicate, Statement, rfc3339_milliseconds
from .public_keys import PublicKey

_COLUMNS = fields(Columns)


def faults(stored: Stored, origin: str, keys: Mapping[str, PublicKey]) -> Iterator[str]:
    """What is wrong with the entry of the ledger named `origin`, one clause each; nothing if it is right."""
    if stored.envelope is None:
        yield "its envelope is gone"
        return
    if hashlib.sha256(stored.envelope).digest() != stored.leaf:  # 1
        yield "its envelope does not have the digest that is stored as its leaf"
    try:
        envelope = dsse.parse(stored.envelope)  # 2
    except BadInput as error:
        yield error.what
        return
    try:
        dsse.verify(envelope, keys)  # 3
    except BadInput as error:
        yield error.what
    try:
        stated = statement.read(envelope.payload)  # 4
    except BadInput as error:
        yield error.what
        return
    yield from statement.contradictions(stated, statement.parse(envelope.payload))  # 5
    if stated.predicate.ledger.origin != origin:  # 6
        yield f"it was made for another ledger, {ascii(stated.predicate.ledger.origin)[:100]}"
    yield from _other_columns(stored, stated)  # 7


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
