from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from mandate.engine.evidence.columns import Columns, Mention
from mandate.engine.evidence.key_status import Ending, How, KeyStatus
from mandate.engine.evidence.predicates.base import LedgerUsed, MandateUsed, Predicate
from mandate.engine.evidence.predicates.key import KeyStated
from mandate.engine.evidence.predicates.key_event import KeyRevocationPredicate, KeyRotationPredicate
from mandate.engine.evidence.predicates.opening import OpeningPredicate
from mandate.engine.evidence.public_keys import PublicKey

STAMP: dict[str, Any] = {
    "id": "01936b2e-0000-7000-8000-000000000000",
    "recordedAt": datetime(2026, 3, 1, tzinfo=UTC),
    "mandate": MandateUsed(version="0"),
    "ledger": LedgerUsed(origin="bank.example/models"),
}
KEYS = [
    *(PublicKey.of(Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32).public_key()) for n in range(4)),
    PublicKey.of(generate_private_key(SECP256R1()).public_key()),
]
A, B, C = (key.keyid for key in KEYS[:3])


def rotation(retired: int, successor: int, reason: str = "every year") -> KeyRotationPredicate:
    keys: dict[str, Any] = {
        "retired": KeyStated.of(KEYS[retired]),
        "successor": KeyStated.of(KEYS[successor]),
    }
    return KeyRotationPredicate(**STAMP, **keys, by="ann", reason=reason)


def revocation(revoked: int, successor: int | None = None) -> KeyRevocationPredicate:
    named = None if successor is None else KeyStated.of(KEYS[successor])
    return KeyRevocationPredicate(
        **STAMP, revoked=KeyStated.of(KEYS[revoked]), successor=named, by="ann", reason="stolen"
    )


Event = tuple[int, Predicate, Sequence[str]]


def status_after(*events: Event) -> KeyStatus:
    status = KeyStatus()
    for index, predicate, signers in events:
        status = status.after(index, predicate, signers)
    return status


def test_a_key_of_which_nothing_was_said_may_sign() -> None:
    assert KeyStatus().may_sign(A, 10**9)
    assert KeyStatus().may_sign_head(A, 10**9)


def test_a_rotated_key_signs_its_rotation_and_the_head_over_it_and_nothing_later() -> None:
    status = status_after((5, rotation(0, 1), [A]))
    assert [status.may_sign(A, index) for index in (4, 5, 6)] == [True, True, False]
    assert [status.may_sign_head(A, size) for size in (5, 6, 7)] == [True, True, False]
    assert status.may_sign(B, 6)
    assert status.endings == {A: (Ending(KeyStated.of(KEYS[0]), How.ROTATED, 5, "every year", B),)}


def test_what_a_revoked_key_signed_before_stands_and_nothing_later() -> None:
    status = status_after((5, revocation(0), [B]))
    assert [status.may_sign(A, index) for index in (4, 5, 6)] == [True, True, False]
    assert [status.may_sign_head(A, size) for size in (4, 5, 6)] == [True, True, False]
    assert status.endings == {A: (Ending(KeyStated.of(KEYS[0]), How.REVOKED, 5, "stolen"),)}


def test_a_rotated_key_that_is_revoked_later_had_ended_already() -> None:
    status = status_after((5, rotation(0, 1), [A]), (9, revocation(0), [B]))
    assert not status.may_sign(A, 6)
    assert [str(ending) for ending in status.endings[A]] == ["rotated in entry 5", "revoked in entry 9"]


@pytest.mark.parametrize(
    ("predicate", "signers", "wrong"),
    [
        (rotation(1, 2), [C], ["it is not signed by the key that gives way, and by it alone"]),
        (rotation(1, 2), [B, C], ["it is not signed by the key that gives way, and by it alone"]),
        (rotation(1, 2), [], ["it is not signed by the key that gives way, and by it alone"]),
        (rotation(1, 0), [B], ["the key that takes its place was revoked in entry 5"]),
        (revocation(1), [B], ["a key cannot revoke itself"]),
        (revocation(1, 0), [C], ["the key that takes its place was revoked in entry 5"]),
        (revocation(1, 2), [C], []),
        (revocation(1), [A], [f"it is signed by the key {A}, which was revoked in entry 5"]),
        (rotation(1, 2), [B], []),
        (revocation(1), [C], []),
        (revocation(0), [C], []),
    ],
)
def test_what_the_signing_key_may_not_say_is_named_and_changes_nothing(
    predicate: Predicate, signers: list[str], wrong: list[str]
) -> None:
    status = status_after((5, revocation(0), [B]))
    assert list(status.wrong(6, predicate, signers)) == wrong
    assert (status.after(6, predicate, signers) == status) is bool(wrong)


def test_an_entry_of_another_kind_changes_nothing() -> None:
    assert KeyStatus().after(0, Predicate(**STAMP), [A]) == KeyStatus()


numbers = st.integers(0, 3)
events = st.lists(
    st.tuples(
        st.one_of(
            st.builds(rotation, numbers, numbers).filter(lambda made: made.retired != made.successor),
            st.builds(revocation, numbers),
        ),
        st.lists(numbers.map(lambda n: KEYS[n].keyid), max_size=2, unique=True),
    ),
    max_size=12,
)


@settings(deadline=None)
@given(events, st.integers(0, 12))
def test_what_is_said_later_never_changes_what_counted_before(
    said: list[tuple[Predicate, list[str]]], cut: int
) -> None:
    numbered = [(index, *event) for index, event in enumerate(said)]
    early, late = status_after(*numbered[:cut]), status_after(*numbered)
    for key in KEYS:
        for index in range(min(cut, len(said))):
            assert early.may_sign(key.keyid, index) is late.may_sign(key.keyid, index)
            assert early.may_sign_head(key.keyid, index) is late.may_sign_head(key.keyid, index)


@settings(deadline=None)
@given(events)
def test_a_key_that_ended_never_signs_again(said: list[tuple[Predicate, list[str]]]) -> None:
    status = status_after(*((index, *event) for index, event in enumerate(said)))
    for key in KEYS:
        for may in (status.may_sign, status.may_sign_head):
            counts = [may(key.keyid, place) for place in range(20)]
            assert counts == sorted(counts, reverse=True)


@settings(deadline=None)
@given(events)
def test_somebody_can_sign_on_as_long_as_keys_only_rotate(said: list[tuple[Predicate, list[str]]]) -> None:
    rotations = [event for event in said if isinstance(event[0], KeyRotationPredicate)]
    status = status_after(*((index, *event) for index, event in enumerate(rotations)))
    assert any(status.may_sign(key.keyid, len(said)) for key in KEYS[:4])


def test_a_key_that_is_stated_is_held_against_its_fingerprint() -> None:
    good = KeyStated.of(KEYS[4])
    assert list(good.contradictions()) == []
    assert list(good.model_copy(update={"keyid": A}).contradictions()) == [
        f"the PEM is not that of the key {A}"
    ]
    for pem in ("", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"):
        damaged = good.model_copy(update={"pem": pem})
        assert list(damaged.contradictions()) == [f"the PEM of the key {good.keyid} is none"]
    spaced = good.model_copy(update={"pem": f"{good.pem}\n"})
    assert list(spaced.contradictions()) == [f"the PEM is not that of the key {good.keyid}"]
    wrong = good.model_copy(update={"keyid": A})
    for predicate in (
        rotation(1, 2).model_copy(update={"successor": wrong}),
        rotation(1, 2).model_copy(update={"retired": wrong}),
        revocation(0).model_copy(update={"revoked": wrong}),
        revocation(1).model_copy(update={"successor": wrong}),
        OpeningPredicate(**STAMP, openedBy="ann", key=wrong),
    ):
        assert list(predicate.contradictions({})) == [f"the PEM is not that of the key {A}"]


def test_a_key_that_would_take_its_own_place_contradicts_itself() -> None:
    for predicate in (rotation(0, 0), revocation(0, 0)):
        assert list(predicate.contradictions({})) == ["a key cannot take its own place"]


def test_an_entry_is_looked_up_by_its_keys_and_by_who_did_it() -> None:
    assert [each.name for each in rotation(0, 1).subjects()] == [A, B]
    assert [each.name for each in revocation(0).subjects()] == [A]
    assert rotation(0, 1).columns() == Columns(A, mentions=(Mention("person", "ann"), Mention("subject", B)))
    assert revocation(0).columns() == Columns(A, mentions=(Mention("person", "ann"),))
    assert [each.name for each in revocation(0, 1).subjects()] == [A, B]
    assert revocation(0, 1).columns() == rotation(0, 1).columns()
