from __future__ import annotations

import hashlib
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import uuid_utils
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mandate.engine.decision import Decision, Judgement
from mandate.engine.errors import NotRecorded
from mandate.engine.evidence import envelope, statement
from mandate.engine.evidence.keys import SigningKey
from mandate.engine.evidence.predicates.decision import DecisionPredicate
from mandate.engine.evidence.public_keys import PublicKey, keyring
from mandate.engine.evidence.receipt import Receipt
from mandate.engine.evidence.recorder import Recorder
from mandate.engine.evidence.sql import sqlite
from mandate.engine.evidence.sql.ledger import SqlLedger
from mandate.engine.input.document import Input

from .conftest import NOON, ON_BOTH, ORIGIN


@ON_BOTH
def test_receipt_says_where_the_decision_is(
    recorder: Recorder, ledger: SqlLedger, signer: SigningKey, document: Input, judgement: Judgement
) -> None:
    receipt = recorder.record(document, judgement).receipt
    stored = ledger.at(0)
    assert stored is not None
    assert stored.envelope is not None
    assert receipt == Receipt(
        id=stored.id,
        index=0,
        recorded_at=NOON.replace(microsecond=123_000),
        leaf=hashlib.sha256(stored.envelope).hexdigest(),
        keyid=signer.keyid,
        origin=ORIGIN,
    )
    assert receipt.model_dump(mode="json")["recorded_at"] == "2026-03-01T12:00:00.123Z"


@ON_BOTH
def test_what_is_stored_is_signed_and_says_what_was_decided(
    recorder: Recorder, ledger: SqlLedger, signer: SigningKey, document: Input, judgement: Judgement
) -> None:
    recorder.record(document, judgement)
    stored = ledger.at(0)
    assert stored is not None
    assert stored.envelope is not None
    sealed = envelope.parse(stored.envelope)
    envelope.verify(sealed, keyring(signer.public_key))
    predicate = statement.read(sealed.payload).predicate
    assert isinstance(predicate, DecisionPredicate)
    assert (predicate.input, predicate.decision, predicate.ledger.origin) == (
        document,
        judgement.decision,
        ORIGIN,
    )


def test_id_begins_with_the_time_of_recording(
    recorder: Recorder, document: Input, judgement: Judgement
) -> None:
    receipts = [recorder.record(document, judgement).receipt for _ in range(3)]
    ids = [uuid_utils.UUID(receipt.id) for receipt in receipts]
    assert [each.version for each in ids] == [7, 7, 7]
    assert [each.timestamp for each in ids] == [
        round((NOON + timedelta(seconds=tick)).timestamp() * 1000 - 0.456) for tick in range(3)
    ]


@ON_BOTH
def test_one_question_asked_twice_is_two_entries(
    recorder: Recorder, document: Input, judgement: Judgement
) -> None:
    first, second = (recorder.record(document, judgement).receipt for _ in range(2))
    assert (first.index, second.index) == (0, 1)
    assert first.id != second.id


@ON_BOTH
def test_clock_that_goes_backwards_stops_nothing(
    ledger: SqlLedger, signer: SigningKey, document: Input, judgement: Judgement
) -> None:
    times = iter([NOON, NOON - timedelta(days=1), NOON])
    recorder = Recorder(ledger, signer, lambda: next(times))
    assert [recorder.record(document, judgement).receipt.index for _ in range(3)] == [0, 1, 2]


def test_denials_and_undecided_are_evidence_too(
    recorder: Recorder, ledger: SqlLedger, document: Input, judgement: Judgement
) -> None:
    undecided = judgement.model_copy(
        update={"decision": Decision.undecided("OPA is down"), "opa_version": None}
    )
    recorder.record(document, undecided)
    stored = ledger.at(0)
    assert stored is not None
    assert stored.columns.outcome == "undecided"


class Broken:
    """A signer whose signatures are those of another key: a key management service with a mixed-up alias."""

    def __init__(self, claimed: PublicKey) -> None:
        self.public_key = claimed

    def sign(self, data: bytes) -> bytes:
        return Ed25519PrivateKey.generate().sign(data)


def test_signature_that_does_not_verify_is_never_stored(
    ledger: SqlLedger, signer: SigningKey, document: Input, judgement: Judgement
) -> None:
    recorder = Recorder(ledger, Broken(signer.public_key), lambda: NOON)
    with pytest.raises(NotRecorded, match="the new envelope does not verify: the signature by SHA256:"):
        recorder.record(document, judgement)
    assert ledger.count() == 0


@pytest.mark.parametrize(
    "measured", [2**53, float("nan"), float("inf"), "\ud800", {1: 2}, {"a": [{"b": -(2**60)}]}, {1, 2}]
)
def test_what_json_cannot_say_exactly_is_never_stored(
    recorder: Recorder, ledger: SqlLedger, document: Input, judgement: Judgement, measured: Any
) -> None:
    finding = judgement.decision.findings[0].model_copy(update={"measured": measured})
    decision = judgement.decision.model_copy(update={"findings": (finding,)})
    with pytest.raises(NotRecorded, match="cannot be written down exactly"):
        recorder.record(document, judgement.model_copy(update={"decision": decision}))
    assert ledger.count() == 0


def test_nesting_without_end_is_never_stored(
    recorder: Recorder, ledger: SqlLedger, document: Input, judgement: Judgement
) -> None:
    deep: Any = 1
    for _ in range(100_000):
        deep = [deep]
    finding = judgement.decision.findings[0].model_copy(update={"measured": deep})
    decision = judgement.decision.model_copy(update={"findings": (finding,)})
    with pytest.raises(NotRecorded, match="cannot be written down exactly"):
        recorder.record(document, judgement.model_copy(update={"decision": decision}))
    assert ledger.count() == 0
    while isinstance(deep, list):  # let go of it level by level
        deep = deep.pop()


@ON_BOTH
def test_envelope_that_nobody_would_read_is_never_stored(
    recorder: Recorder, ledger: SqlLedger, document: Input, judgement: Judgement
) -> None:
    endless = Decision.undecided("x" * envelope.MAX_BYTES)
    with pytest.raises(NotRecorded, match="the envelope is longer than 16777216 bytes"):
        recorder.record(document, judgement.model_copy(update={"decision": endless}))
    assert ledger.count() == 0


def test_clock_before_1970_is_never_recorded(
    ledger: SqlLedger, signer: SigningKey, document: Input, judgement: Judgement
) -> None:
    recorder = Recorder(ledger, signer, lambda: datetime(1969, 12, 31, tzinfo=UTC))
    with pytest.raises(NotRecorded, match="a clock before 1970"):
        recorder.record(document, judgement)


def test_no_receipt_without_an_entry(
    path: Path, signer: SigningKey, document: Input, judgement: Judgement
) -> None:
    with closing(sqlite.open_for_reading(path)) as reader:
        with pytest.raises(NotRecorded, match="the ledger is read-only here"):
            Recorder(reader, signer, lambda: NOON).record(document, judgement)
        assert reader.count() == 0
