"""What every store does, in SQLite and in PostgreSQL."""

from __future__ import annotations

import threading
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from mandate.engine.errors import NotRecorded
from mandate.engine.evidence.columns import Columns, Mention
from mandate.engine.evidence.keys import SigningKey
from mandate.engine.evidence.ledger import Entry, Place, Stored
from mandate.engine.evidence.log import checkpoint
from mandate.engine.evidence.sql.ledger import SqlLedger

from .conftest import ON_BOTH, ORIGIN
from .databases import Home

pytestmark = ON_BOTH


def entry(number: int) -> Entry:
    """An entry as far as a store is concerned, which believes nothing and checks nothing."""
    return Entry(
        id=f"{number:08x}-0000-7000-8000-000000000000",
        kind="https://mandate.dev/attestations/decision/v1",
        recorded_at="2026-03-01T12:00:00.000Z",
        columns=Columns(
            subject="models:/credit/3",
            outcome=None if number % 2 else "deny",
            mentions=(Mention("person", "ci"), Mention("rule", f"rule {number}")),
        ),
        envelope=b"envelope %d" % number,
    )


def test_index_counts_from_zero_without_gaps(ledger: SqlLedger) -> None:
    assert [ledger.append(entry(number)) for number in range(3)] == [
        Place(number, number + 1, entry(number).id) for number in range(3)
    ]
    assert ledger.count() == 3


def test_the_latest_time_is_not_that_of_an_entry_made_under_a_clock_that_was_set_back(
    ledger: SqlLedger,
) -> None:
    made = ledger.latest()
    assert abs(datetime.now(UTC) - made) < timedelta(minutes=1)
    ledger.append(replace(entry(0), recorded_at="1970-01-01T00:00:00.000Z"))
    assert ledger.latest() == made
    ledger.append(replace(entry(2), recorded_at="9998-03-01T12:00:00.000Z"))
    ledger.append(replace(entry(1), recorded_at="1970-01-01T00:00:00.000Z"))
    assert ledger.latest() == datetime(9998, 3, 1, 12, tzinfo=UTC)


def test_a_time_that_nobody_can_read_is_no_time(ledger: SqlLedger) -> None:
    ledger.append(replace(entry(0), recorded_at="tomorrow"))
    with pytest.raises(NotRecorded, match="does not say when its entries were recorded"):
        ledger.latest()


def test_entry_reads_back_as_it_was_appended(ledger: SqlLedger) -> None:
    first, second = entry(0), entry(1)
    ledger.append(first)
    ledger.append(second)
    expected = Stored(
        1, second.id, second.kind, second.recorded_at, second.columns, second.envelope, second.leaf
    )
    assert ledger.at(1) == expected
    assert list(ledger.entries(start=1)) == [expected]
    assert ledger.starting_with("00000001", limit=2) == (expected,)


def test_what_is_not_there_is_none(ledger: SqlLedger) -> None:
    ledger.append(entry(0))
    assert (ledger.at(1), ledger.at(-1), ledger.at(2**62)) == (None, None, None)
    assert ledger.starting_with("f", limit=2) == ()
    assert list(ledger.entries(start=1)) == []


def test_prefix_finds_in_the_order_of_ids(ledger: SqlLedger) -> None:
    for number in (3, 1, 2):
        ledger.append(entry(number))
    assert [each.index for each in ledger.starting_with("0000", limit=2)] == [1, 2]


def test_id_that_is_there_already_is_not_recorded(ledger: SqlLedger) -> None:
    ledger.append(entry(0))
    with pytest.raises(NotRecorded, match="the id is recorded already"):
        ledger.append(entry(0))
    assert ledger.append(entry(1)).index == 1


def test_reader_sees_what_a_writer_appends_meanwhile(home: Home, ledger: SqlLedger) -> None:
    with closing(home.reading()) as reader:
        ledger.append(entry(0))
        running = reader.entries()
        first = next(running)
        ledger.append(entry(1))
        assert [first, *running] == [ledger.at(0)]  # as it was when it began
        assert reader.count() == 2


def test_threads_share_a_ledger(ledger: SqlLedger) -> None:
    indexes: list[int] = []

    def append(first: int) -> None:
        for number in range(first, first + 25):
            indexes.append(ledger.append(entry(number)).index)

    threads = [threading.Thread(target=append, args=(first,)) for first in (0, 100, 200, 300)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(indexes) == list(range(100))
    assert ledger.count() == 100


def test_ledger_opens_again_after_an_error(ledger: SqlLedger) -> None:
    """The connection is dropped with the error, so nothing that it thought written is believed."""
    ledger.append(entry(0))
    with ledger._use() as before:
        pass
    with pytest.raises(NotRecorded):
        ledger.append(entry(0))
    with ledger._use() as after:
        assert after is not before
    assert ledger.append(entry(1)).index == 1


def test_reader_cannot_append(home: Home) -> None:
    with closing(home.reading()) as reader:
        with pytest.raises(NotRecorded, match="the ledger is read-only here"):
            reader.append(entry(0))
        with pytest.raises(NotRecorded, match="the ledger is read-only"):
            reader.cosign(1, b"a line")
        assert reader.count() == 0


def test_half_an_entry_is_never_there(ledger: SqlLedger, home: Home) -> None:
    """The envelope is refused after its entry was inserted: both are undone."""
    ledger.append(entry(0))
    home.tamper("INSERT INTO envelopes SELECT 1, envelope FROM envelopes")
    with pytest.raises(NotRecorded, match="the ledger refuses the change"):
        ledger.append(entry(1))
    assert ledger.count() == 1
    assert list(ledger.damage()) == ["there is an envelope 1 without an entry"]


def test_ledger_without_a_name_is_not_recorded(home: Home, signer: SigningKey) -> None:
    home.tamper("DELETE FROM ledger")
    with pytest.raises(NotRecorded, match="the ledger has lost its name"):
        home.appending(signer)


def test_entries_together_are_stored_together_or_not_at_all(ledger: SqlLedger) -> None:
    assert ledger.append_all([entry(0), entry(1), entry(2)]) == tuple(
        Place(number, 3, entry(number).id) for number in range(3)
    )
    with pytest.raises(NotRecorded):
        ledger.append_all([entry(3), entry(1)])
    assert ledger.append_all([]) == ()
    assert ledger.count() == 3
    assert [head.size for head in ledger.heads()] == [3]


def test_every_head_is_signed_over_all_entries(ledger: SqlLedger) -> None:
    assert ledger.head() is None
    for number in range(5):
        ledger.append(entry(number))
    heads = list(ledger.heads())
    assert [head.size for head in heads] == [1, 2, 3, 4, 5]
    assert ledger.head() == heads[-1]
    assert list(ledger.heads(start=4)) == heads[3:]
    assert [checkpoint.unverified(head.checkpoint)[0].size for head in heads] == [1, 2, 3, 4, 5]
    assert {checkpoint.unverified(head.checkpoint)[0].origin for head in heads} == {ORIGIN}


def test_signatures_of_witnesses_are_kept_in_their_order(ledger: SqlLedger) -> None:
    ledger.append(entry(0))
    ledger.cosign(1, b"second of the alphabet")
    ledger.cosign(1, b"first of the alphabet")
    assert ledger.cosignatures(1) == (b"second of the alphabet", b"first of the alphabet")
    assert ledger.cosignatures(2) == ()
    with pytest.raises(NotRecorded, match="the ledger refuses the change"):
        ledger.cosign(1, b"first of the alphabet")


def test_nothing_is_signed_on_top_of_a_tree_that_the_newest_head_does_not_agree_with(
    home: Home, ledger: SqlLedger, signer: SigningKey
) -> None:
    for number in range(3):
        ledger.append(entry(number))
    ledger.close()
    home.tamper("DELETE FROM heads WHERE size = 3")
    with closing(home.appending(signer)) as other, pytest.raises(NotRecorded) as error:
        other.append(entry(3))
    assert error.value.what == (
        "the ledger is damaged: its newest head, over 2 entries, does not agree with the 3 entries"
    )
    home.tamper("DELETE FROM heads")
    with closing(home.appending(signer)) as other, pytest.raises(NotRecorded, match="over 0 entries"):
        other.append(entry(3))


def test_nothing_is_signed_where_a_node_of_the_tree_is_gone(
    home: Home, ledger: SqlLedger, signer: SigningKey
) -> None:
    for number in range(2):
        ledger.append(entry(number))
    home.tamper("DELETE FROM nodes")
    with (
        closing(home.appending(signer)) as other,
        pytest.raises(NotRecorded, match="node 0 of level 1"),
    ):
        other.append(entry(2))


def test_nothing_is_signed_after_a_head_that_is_none(
    home: Home, ledger: SqlLedger, signer: SigningKey
) -> None:
    ledger.append(entry(0))
    home.tamper("UPDATE heads SET checkpoint = leaf FROM entries")
    with (
        closing(home.appending(signer)) as other,
        pytest.raises(NotRecorded, match="newest head is none"),
    ):
        other.append(entry(1))


COLUMNS = "(position, id, kind, recorded_at, leaf, subject, outcome)"


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE entries SET outcome = 'allow' WHERE position = 0",
        "UPDATE envelopes SET envelope = envelope",
        "UPDATE ledger SET origin = 'other'",
        "UPDATE mentions SET name = 'x'",
        "UPDATE nodes SET hash = hash",
        "UPDATE heads SET size = 4 WHERE size = 3",
        "UPDATE cosignatures SET line = line",
        "DELETE FROM entries WHERE position = 2",
        "DELETE FROM envelopes",
        "DELETE FROM ledger",
        "DELETE FROM mentions",
        "DELETE FROM nodes",
        "DELETE FROM heads WHERE size = 3",
        "DELETE FROM cosignatures",
        "INSERT INTO ledger VALUES (1, 'other', '')",
        *(
            f"INSERT INTO entries {COLUMNS} SELECT {position}, {id_}, kind, recorded_at, leaf, subject,"
            " outcome FROM entries WHERE position = 0"
            for position, id_ in ((4, "'x'"), (2, "'x'"), (-1, "'x'"), (3, "id"))
        ),
        f"INSERT INTO entries {COLUMNS} SELECT 3, 'x', kind, NULL, leaf, subject, outcome FROM entries"
        " WHERE position = 0",
        "INSERT INTO envelopes SELECT 1, envelope FROM envelopes WHERE position = 0",
        "INSERT INTO mentions VALUES (2, 'rule', 'x')",
        "INSERT INTO nodes SELECT position, 2, hash FROM nodes WHERE position = 1",
        "INSERT INTO heads SELECT 4, checkpoint FROM heads WHERE size = 3",
        "INSERT INTO heads SELECT 3, checkpoint FROM heads WHERE size = 3",
        "INSERT INTO cosignatures SELECT size, 1, line FROM cosignatures",
        "INSERT INTO cosignatures SELECT 99, 0, line FROM cosignatures",
    ],
)
def test_database_itself_refuses_every_other_change(home: Home, ledger: SqlLedger, change: str) -> None:
    for number in range(3):
        ledger.append(entry(number))
    ledger.cosign(3, b"a line")
    before = list(ledger.entries()), list(ledger.nodes()), list(ledger.heads()), ledger.cosignatures(3)
    foreign_keys = "PRAGMA foreign_keys = ON" if home.where.endswith(".db") else "SELECT 1"
    with pytest.raises(home.refusals):
        home.execute(foreign_keys, change)
    assert before == (
        list(ledger.entries()),
        list(ledger.nodes()),
        list(ledger.heads()),
        ledger.cosignatures(3),
    )
    assert list(ledger.damage()) == []
