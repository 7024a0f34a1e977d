"""Entries on their way: in order, never more than a window of them, until somebody interrupts."""

from __future__ import annotations

import signal
from collections.abc import Generator, Iterator
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from mandate.engine.cli.policy.impact import noted
from mandate.engine.errors import NotRecorded
from mandate.engine.evidence.columns import Columns
from mandate.engine.evidence.ledger import Stored
from mandate.engine.replay.impact import Examined, examined
from mandate.engine.replay.journal import Journal


def stored(index: int) -> Stored:
    return Stored(index, f"id-{index}", "", "", Columns(""), None, b"")


class Entries:
    """Of a store, only that it gives entries: how many it gave, and what happens after the last."""

    def __init__(self, count: int, end: Exception | None = None) -> None:
        self.count, self.end, self.given = count, end, 0

    def entries(self, start: int = 0) -> Iterator[Stored]:
        for index in range(start, self.count):
            self.given += 1
            yield stored(index)
        if self.end:
            raise self.end


def run(store: Any, examine: Any = None, *, start: int = 0, threads: int = 3) -> Generator[Examined]:
    return examined(store, start, examine or (lambda each: Examined(each.index, "same")), threads=threads)


def test_results_come_in_the_order_of_the_ledger_whoever_is_first() -> None:
    second = Barrier(2)

    def examine(entry: Stored) -> Examined:
        if entry.index < 2:
            second.wait(10)  # neither ends before the other began
        return Examined(entry.index, "same")

    assert [each.index for each in run(Entries(50), examine)] == [*range(50)]
    assert [each.index for each in run(Entries(50), start=45)] == [*range(45, 50)]


def test_only_a_window_of_entries_is_in_memory() -> None:
    store = Entries(1000)
    for number, _ in enumerate(run(store, threads=2), 1):
        assert store.given - number <= 2 * 4
    assert store.given == 1000


def test_what_can_no_longer_be_read_is_told_last() -> None:
    *before, last = run(Entries(5, end=NotRecorded("the ledger is damaged")))
    assert len(before) == 5
    assert last.count == "damaged"
    assert last.found == {
        "kind": "damaged",
        "index": 5,
        "id": None,
        "what": "nothing from entry 5 on can be read: the ledger is damaged",
    }


class WithGaps(Entries):
    """Without the entries 3, 4 and 7."""

    def entries(self, start: int = 0) -> Iterator[Stored]:
        return (each for each in super().entries(start) if each.index not in (3, 4, 7))


def test_what_is_missing_between_others_is_told_where_it_would_stand() -> None:
    """An entry that somebody took out could be the one that flips."""
    found = [*run(WithGaps(10))]
    assert [(each.index, each.count) for each in found] == [
        *((index, "same") for index in (0, 1, 2)),
        (4, "damaged"),
        *((index, "same") for index in (5, 6)),
        (7, "damaged"),
        *((index, "same") for index in (8, 9)),
    ]
    assert [each.found["what"] for each in found if each.found] == [
        "the entries 3 to 4 are not in the ledger",
        "the entry is not in the ledger",
    ]
    assert [each.index for each in run(WithGaps(10), start=4)] == [4, 5, 6, 7, 8, 9]


def test_an_error_of_one_entry_ends_the_run() -> None:
    def examine(entry: Stored) -> Examined:
        if entry.index == 3:
            raise NotImplementedError
        return Examined(entry.index, "same")

    with pytest.raises(NotImplementedError):
        list(run(Entries(500), examine))


def interrupting(times: int) -> Generator[Examined]:
    for index in range(10):
        if index == 4:
            for _ in range(times):
                signal.raise_signal(signal.SIGINT)
        yield Examined(index, "same")


def test_ctrl_c_ends_the_run_after_the_entry_that_was_on_its_way(tmp_path: Path) -> None:
    handler = signal.getsignal(signal.SIGINT)
    with Journal(tmp_path, {}, 0) as journal:
        assert noted(interrupting(1), journal, 10)
        assert (journal.following, journal.counts["same"]) == (5, 5)
        assert not noted(interrupting(0), journal, 10)
    assert signal.getsignal(signal.SIGINT) is handler


def test_a_second_ctrl_c_ends_at_once(tmp_path: Path) -> None:
    with Journal(tmp_path, {}, 0) as journal, pytest.raises(KeyboardInterrupt):
        noted(interrupting(2), journal, 10)
