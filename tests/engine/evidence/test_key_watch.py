from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mandate.engine.decision import Judgement
from mandate.engine.errors import BadConfiguration, NotRecorded
from mandate.engine.evidence import keys, signed
from mandate.engine.evidence.key_status import Ending, How
from mandate.engine.evidence.key_watch import KeyWatch, Known
from mandate.engine.evidence.keys import SigningKey
from mandate.engine.evidence.ledger import Entry, Outdated, Premise
from mandate.engine.evidence.predicates import KEY_EVENT_TYPES
from mandate.engine.evidence.predicates.key import KeyStated
from mandate.engine.evidence.predicates.key_event import (
    KeyRevocationPredicate,
    KeyRotationPredicate,
)
from mandate.engine.evidence.public_keys import PublicKey, keyring
from mandate.engine.evidence.receipt import Receipt
from mandate.engine.evidence.recorder import Recorder
from mandate.engine.evidence.sql.ledger import SqlLedger
from mandate.engine.evidence.verify import Fault, report, verify
from mandate.engine.input.document import Input

from .conftest import ON_BOTH
from .databases import Home


@dataclass(frozen=True)
class Bank:
    """A ledger with two trusted keys, and whoever records into it."""

    home: Home
    ledger: SqlLedger
    first: SigningKey
    second: SigningKey
    document: Input
    judgement: Judgement
    stack: ExitStack

    @property
    def trusted(self) -> dict[str, PublicKey]:
        return dict(keyring(self.first.public_key, self.second.public_key))

    @property
    def sound(self) -> bool:
        return report(verify(self.ledger, self.trusted)).sound

    @contextmanager
    def process(self, key: SigningKey, head_key: SigningKey | None = None) -> Iterator[Recorder]:
        """A recorder with a connection of its own, as another process has it."""
        with closing(self.home.appending(head_key or key)) as store:
            public = None if head_key is None else head_key.public_key
            yield Recorder(store, key, lambda: datetime.now(UTC), self.trusted, head_key=public)

    def recorder(self, key: SigningKey) -> Recorder:
        """The same, until the test ends."""
        return self.stack.enter_context(self.process(key))

    def decide(self, recorder: Recorder) -> Receipt:
        return recorder.record(self.document, self.judgement).receipt

    def rotate(self, old: SigningKey, new: SigningKey, by: SigningKey | None = None) -> Receipt:
        with self.process(by or old) as recorder:
            return recorder.event(
                KeyRotationPredicate,
                retired=KeyStated.of(old.public_key),
                successor=KeyStated.of(new.public_key),
                by="ann",
                reason="yearly",
            )

    def revoke(self, key: SigningKey, by: SigningKey) -> Receipt:
        with self.process(by) as recorder:
            return recorder.event(
                KeyRevocationPredicate,
                revoked=KeyStated.of(key.public_key),
                successor=None,
                by="ann",
                reason="stolen\n",
            )


@pytest.fixture
def bank(
    home: Home, signer: SigningKey, document: Input, judgement: Judgement, tmp_path: Path
) -> Iterator[Bank]:
    second = keys.create(tmp_path / "keys" / "second.pem")
    with ExitStack() as stack:
        ledger = stack.enter_context(closing(home.reading()))
        yield Bank(home, ledger, signer, second, document, judgement, stack)


def test_a_rotation_by_another_process_is_known_to_the_next_entry(bank: Bank) -> None:
    recorder = bank.recorder(bank.first)
    bank.decide(recorder)
    index = bank.rotate(bank.first, bank.second).index
    with pytest.raises(BadConfiguration) as error:
        bank.decide(recorder)
    assert str(error.value) == (
        f"{bank.ledger.location}: the key {bank.first.keyid} was rotated in entry {index} (yearly):"
        " what it signs does not count any more."
        f" Let {bank.second.keyid} sign, which took its place: see `mandate key list`."
    )
    assert bank.ledger.count() == 2
    bank.decide(bank.recorder(bank.second))
    assert bank.sound
    assert KeyWatch(bank.ledger, bank.trusted).status.endings == {
        bank.first.keyid: (
            Ending(KeyStated.of(bank.first.public_key), How.ROTATED, index, "yearly", bank.second.keyid),
        )
    }


def test_a_revocation_by_another_process_stops_the_key(bank: Bank) -> None:
    recorder = bank.recorder(bank.first)
    bank.decide(recorder)
    index = bank.revoke(bank.first, by=bank.second).index
    with pytest.raises(BadConfiguration) as error:
        bank.decide(recorder)
    assert (error.value.what, error.value.next_step) == (
        f"the key {bank.first.keyid} was revoked in entry {index} (stolen\\n): "
        "what it signs does not count any more",
        "Let another key sign: see `mandate key list`",
    )
    assert bank.sound


@ON_BOTH
def test_an_event_about_another_key_is_taken_note_of_and_nothing_is_lost(bank: Bank, tmp_path: Path) -> None:
    recorder = bank.recorder(bank.first)
    bank.decide(recorder)
    bank.revoke(keys.create(tmp_path / "third.pem"), by=bank.second)
    assert bank.decide(recorder).index == 2
    assert bank.sound


@ON_BOTH
def test_the_store_refuses_what_did_not_reckon_with_a_key_event_and_nothing_beside_it(
    bank: Bank, tmp_path: Path
) -> None:
    bank.decide(bank.recorder(bank.first))
    bank.revoke(keys.create(tmp_path / "third.pem"), by=bank.second)
    stored = bank.ledger.at(0)
    assert stored is not None
    entries = [
        Entry(
            id=f"01936b2e-0000-7000-8000-00000000000{number}",
            kind=stored.kind,
            recorded_at=stored.recorded_at,
            columns=replace(stored.columns, request_key=None),
            envelope=b"%d" % number,
            premise=premise,
        )
        for number, premise in enumerate((None, *(Premise(KEY_EVENT_TYPES, latest) for latest in (-1, 0, 1))))
    ]
    outcomes: list[str] = []
    store = bank.stack.enter_context(closing(bank.home.appending(bank.first)))

    def append(entry: Entry) -> None:
        try:
            outcomes.append(store.append(entry).id)
        except Outdated as error:
            outcomes.append(error.what)

    in_threads(*(lambda entry=entry: append(entry) for entry in entries))
    told = "entry 1 was recorded meanwhile"
    assert sorted(outcomes) == sorted([entries[0].id, told, told, entries[3].id])


def in_threads(*what: object) -> None:
    threads = [threading.Thread(target=each) for each in what if callable(each)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@ON_BOTH
def test_recorders_that_race_a_rotation_never_sign_after_it(bank: Bank) -> None:
    acknowledged: list[str] = []
    refused: list[str] = []
    rotated: list[int] = []
    started = threading.Barrier(4)

    def keep_recording() -> None:
        with bank.process(bank.first) as recorder:
            acknowledged.append(bank.decide(recorder).id)
            started.wait()
            try:
                while True:
                    acknowledged.append(bank.decide(recorder).id)
            except BadConfiguration as error:
                refused.append(error.what)

    def rotate() -> None:
        started.wait()
        rotated.append(bank.rotate(bank.first, bank.second).index)

    in_threads(*[keep_recording] * 3, rotate)
    assert len(refused) == 3
    assert bank.sound
    assert bank.ledger.count() == rotated[0] + 1 == len(acknowledged) + 1


def test_heads_are_not_signed_by_a_key_that_ended_either(bank: Bank) -> None:
    bank.revoke(bank.first, by=bank.second)
    with bank.process(bank.second, head_key=bank.first) as recorder:
        for ask in (recorder.entitle, lambda: bank.decide(recorder)):
            with pytest.raises(BadConfiguration, match=re.escape(f"the key {bank.first.keyid} was revoked")):
                ask()
    assert bank.ledger.count() == 1


def test_a_key_event_that_cannot_be_verified_stops_everything(bank: Bank, tmp_path: Path) -> None:
    """Nobody knows then which keys may sign: here, the public key of who revoked is not there."""
    recorder = bank.recorder(bank.first)
    stranger = keys.create(tmp_path / "stranger.pem")
    bank.revoke(keys.create(tmp_path / "third.pem"), by=stranger)
    with pytest.raises(NotRecorded) as error:
        bank.decide(recorder)
    assert str(error.value) == (
        f"{bank.ledger.location}, entry 0: which keys may sign cannot be told:"
        f" it is signed by an unknown key, {stranger.keyid}."
        " Run `mandate ledger verify`; the key folder must have all public keys."
    )


def test_what_the_wrong_key_says_of_keys_is_a_fault_and_ends_no_key(bank: Bank) -> None:
    coup = bank.rotate(bank.first, bank.second, by=bank.second)
    own = bank.revoke(bank.second, by=bank.second)
    assert report(verify(bank.ledger, bank.trusted)).faults == (
        Fault(0, coup.id, "it is not signed by the key that gives way, and by it alone"),
        Fault(1, own.id, "a key cannot revoke itself"),
    )
    assert KeyWatch(bank.ledger, bank.trusted).status.endings == {}


def test_a_decision_after_the_end_of_its_key_is_not_judged_again(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    bank.decide(bank.recorder(bank.first))
    index = bank.revoke(bank.first, by=bank.second).index
    monkeypatch.setattr(Known, "entitle", lambda *_: None)  # a program that does not ask
    bank.decide(bank.recorder(bank.first))
    before, _, after = bank.ledger.entries()
    status = KeyWatch(bank.ledger, bank.trusted).status
    assert signed.read(before, bank.ledger, bank.trusted, status) is not None
    with pytest.raises(NotRecorded, match=f"which was revoked in entry {index}"):
        signed.read(after, bank.ledger, bank.trusted, status)


def test_keys_that_end_faster_than_anything_is_recorded_give_up(
    bank: Bank, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    recorder = bank.recorder(bank.first)
    bank.decide(recorder)
    bank.revoke(keys.create(tmp_path / "third.pem"), by=bank.second)
    monkeypatch.setattr(KeyWatch, "look", lambda _: None)
    with pytest.raises(NotRecorded, match="keys are rotated or revoked faster"):
        bank.decide(recorder)
