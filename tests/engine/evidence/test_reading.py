from __future__ import annotations

from datetime import UTC, datetime

import pytest

from mandate import __version__
from mandate.engine.decision import Decision, Judgement
from mandate.engine.errors import NotRecorded, UnknownSubject
from mandate.engine.evidence import envelope, reading
from mandate.engine.evidence.keys import SigningKey
from mandate.engine.evidence.public_keys import keyring
from mandate.engine.evidence.receipt import Receipt, Record
from mandate.engine.evidence.recorder import Recorder
from mandate.engine.evidence.sql.ledger import SqlLedger
from mandate.engine.input.document import Input

from .conftest import ON_BOTH


@pytest.fixture
def receipts(recorder: Recorder, document: Input, judgement: Judgement) -> list[Receipt]:
    return [recorder.record(document, judgement).receipt for _ in range(3)]


@ON_BOTH
def test_decision_reads_back_as_it_was_answered(
    receipts: list[Receipt], ledger: SqlLedger, signer: SigningKey, document: Input, judgement: Judgement
) -> None:
    stored = ledger.at(1)
    assert stored is not None
    assert stored.envelope is not None
    assert reading.find(ledger, receipts[1].id, keyring(signer.public_key)) == Record(
        receipt=receipts[1],
        document=document,
        judgement=judgement,
        mandate_version=__version__,
        envelope=envelope.parse(stored.envelope),
    )


@ON_BOTH
def test_undecided_reads_back_too(
    recorder: Recorder, ledger: SqlLedger, signer: SigningKey, document: Input, judgement: Judgement
) -> None:
    unanswered = judgement.model_copy(
        update={"decision": Decision.undecided("OPA is down"), "opa_version": None}
    )
    recorder.record(document, unanswered)
    assert reading.find(ledger, "0", keyring(signer.public_key)).judgement == unanswered


@ON_BOTH
@pytest.mark.parametrize("spelling", ["{id}", "{id:.12}", "  {id}\n", "{upper}", "{index}"])
def test_decision_is_found_by_id_by_its_beginning_and_by_index(
    receipts: list[Receipt], ledger: SqlLedger, signer: SigningKey, spelling: str
) -> None:
    wanted = receipts[2]
    reference = spelling.format(id=wanted.id, upper=wanted.id.upper(), index=wanted.index)
    assert reading.find(ledger, reference, keyring(signer.public_key)).receipt == wanted


@ON_BOTH
@pytest.mark.parametrize(
    "reference",
    [
        "",
        "3",
        "-1",
        "00",
        "019",
        "019ab403-bc93",
        "%",
        "*",
        "models:/credit/3",
        "' OR 1=1 --",
        "٣",
        "9" * 400,
        "f" * 37,
    ],
)
def test_unknown_decision_is_named(
    receipts: list[Receipt], ledger: SqlLedger, signer: SigningKey, reference: str
) -> None:
    assert receipts
    with pytest.raises(UnknownSubject) as error:
        reading.find(ledger, reference, keyring(signer.public_key))
    assert error.value.what == f"there is no decision {ascii(reference)[:80]}"


def test_unknown_decision_reaches_no_terminal_unescaped(ledger: SqlLedger, signer: SigningKey) -> None:
    with pytest.raises(UnknownSubject) as error:
        reading.find(ledger, "\x1b[2J\u202e", keyring(signer.public_key))
    assert error.value.what == r"there is no decision '\x1b[2J\u202e'"


@ON_BOTH
def test_ambiguous_beginning_is_refused(
    receipts: list[Receipt], ledger: SqlLedger, signer: SigningKey
) -> None:
    with pytest.raises(UnknownSubject, match="more than one decision's id begins with '019c'"):
        reading.find(ledger, receipts[0].id[:4], keyring(signer.public_key))


def test_decision_by_an_unknown_key_is_not_shown(receipts: list[Receipt], ledger: SqlLedger) -> None:
    with pytest.raises(NotRecorded, match="signed by an unknown key, SHA256:") as error:
        reading.find(ledger, receipts[1].id, {})
    assert error.value.where == f"{ledger.location}, entry 1"


def test_ids_begin_with_a_zero_for_centuries_so_none_is_an_index() -> None:
    """48 bits of milliseconds: the first hexadecimal digit counts 2**44 of them."""
    assert datetime.fromtimestamp(2**44 / 1000, UTC).year == 2527
