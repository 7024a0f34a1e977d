"""What is remembered of examined entries is what examining them says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mandate.engine.decision import Judgement
from mandate.engine.evidence import checks, examinations
from mandate.engine.evidence.examinations import Examinations
from mandate.engine.evidence.keys import SigningKey
from mandate.engine.evidence.ledger import Stored
from mandate.engine.evidence.public_keys import keyring
from mandate.engine.evidence.recorder import Recorder
from mandate.engine.evidence.sql.ledger import SqlLedger
from mandate.engine.input.document import Input

from .conftest import ORIGIN


@pytest.fixture
def stored(ledger: SqlLedger, recorder: Recorder, document: Input, judgement: Judgement) -> Stored:
    recorder.record(document, judgement)
    found = ledger.at(0)
    assert found is not None
    return found


def test_the_same_entry_is_examined_once(stored: Stored, signer: SigningKey) -> None:
    keys = keyring(signer.public_key)
    remembered = Examinations()
    first = remembered(stored, ORIGIN, keys)
    assert first == checks.examine(stored, ORIGIN, keys)
    assert remembered(replace(stored), ORIGIN, keys) is first


def test_whatever_is_different_is_examined_anew(stored: Stored, signer: SigningKey) -> None:
    keys = keyring(signer.public_key)
    remembered = Examinations()
    assert remembered(stored, ORIGIN, keys).faults == ()
    assert stored.envelope is not None
    tampered = replace(stored, envelope=stored.envelope.replace(b"a", b"b", 1))
    moved = replace(stored, columns=replace(stored.columns, environment="elsewhere"))
    for entry, origin, trusted in (
        (tampered, ORIGIN, keys),
        (moved, ORIGIN, keys),
        (stored, "another", keys),
        (stored, ORIGIN, {}),
    ):
        assert remembered(entry, origin, trusted).faults != ()


def test_the_oldest_are_forgotten(
    stored: Stored, signer: SigningKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examinations, "_MOST", 1)
    keys = keyring(signer.public_key)
    remembered = Examinations()
    first = remembered(stored, ORIGIN, keys)
    remembered(replace(stored, index=7), ORIGIN, keys)
    again = remembered(stored, ORIGIN, keys)
    assert (again is first, again) == (False, first)
