"""Entries written into a ledger word for word: in the shape of another version, or by thousands."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uuid_utils

from mandate.engine.evidence import envelope as dsse
from mandate.engine.evidence import keys
from mandate.engine.evidence.columns import Columns
from mandate.engine.evidence.keys import SigningKey
from mandate.engine.evidence.ledger import Entry
from mandate.engine.evidence.predicates.base import rfc3339_milliseconds
from mandate.engine.evidence.sql import sqlite
from mandate.engine.evidence.sql.ledger import SqlLedger

Statement = dict[str, Any]


@dataclass(frozen=True)
class Writing:
    """A ledger that is open for appending, and the key that signs."""

    ledger: SqlLedger
    signer: SigningKey

    def append(self, statement: Statement, *, at: datetime | None = None) -> str:
        """Record the statement about a decision as a new one; its digests are made anew. Returns the id."""
        time = at or datetime.now(UTC)
        milliseconds = int(time.timestamp() * 1000)
        predicate = statement["predicate"] | {
            "id": str(uuid_utils.uuid7(nanoseconds=milliseconds * 1_000_000)),
            "recordedAt": rfc3339_milliseconds(datetime.fromtimestamp(milliseconds / 1000, UTC)),
            "outcome": statement["predicate"]["decision"]["outcome"],
            "decisionSha256": _sha256(statement["predicate"]["decision"]),
            "inputSha256": _sha256(statement["predicate"]["input"]),
        }
        payload = _canonical(statement | {"predicate": predicate})
        entry = Entry(
            id=predicate["id"],
            kind=statement["predicateType"],
            recorded_at=predicate["recordedAt"],
            columns=Columns(subject=predicate["input"]["subject"]["uri"], outcome=predicate["outcome"]),
            envelope=dsse.seal(payload, self.signer).to_bytes(),
        )
        self.ledger.append(entry)
        return entry.id


@contextmanager
def writing(folder: Path) -> Iterator[Writing]:
    """The ledger in the folder of an organisation."""
    signer = keys.load(folder / ".mandate/keys/signing.pem")
    ledger = sqlite.open_for_appending(folder / ".mandate/ledger.db", signer)
    try:
        yield Writing(ledger, signer)
    finally:
        ledger.close()


def statement(folder: Path, index: int) -> Statement:
    """The statement of an entry, to be changed."""
    ledger = sqlite.open_for_reading(folder / ".mandate/ledger.db")
    try:
        stored = ledger.at(index)
        assert stored is not None
        assert stored.envelope is not None
        read: Statement = json.loads(dsse.parse(stored.envelope).payload)
    finally:
        ledger.close()
    return read


def changed(statement: Statement, **members: Any) -> Statement:
    """The statement with other members of its predicate."""
    return copy.deepcopy(statement) | {"predicate": copy.deepcopy(statement["predicate"] | members)}


def _canonical(document: Any) -> bytes:
    """RFC 8785, for documents whose numbers Python writes as it does: ten times as fast as in general."""
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _sha256(document: Any) -> str:
    return hashlib.sha256(_canonical(document)).hexdigest()
