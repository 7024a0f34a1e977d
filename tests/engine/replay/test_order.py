"""Entries on their way: in order, never more than a window of them, until somebody interrupts."""

from __future__ import annotations

import gc
import signal
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
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


BATCH = 32


def same(entries: Sequence[Stored]) -> list[Examined]:
    return [Examined(each.index, "same") for each in entries]


def run(store: Any, examine: Any = same, *, start: int = 0, threads: int = 3) -> Generator[Examined]:
    return examined(store, start, examine, threads=threads)


def test_results_come_in_the_order_of_the_ledger_whoever_is_first() -> None:
    second = Barrier(2)

    def examine(entries: Sequence[Stored]) -> list[Examined]:
        if entries[0].index < 2 * BATCH:
            second.wait(10)  # neither ends before the other began
        return same(entries)

    assert [each.index for each in run(Entries(150), examine)] == [*range(150)]
    assert [each.index for each in run(Entries(150), start=45)] == [*range(45, 150)]


def test_only_a_window_of_entries_is_in_memory() -> None:
    store = Entries(1000)
    for number, _ in enumerate(run(store, threads=2), 1):
        assert store.given - number < 2 * 2 * BATCH
    assert store.given == 1000


def test_large_entries_are_taken_one_at_a_time() -> None:
    taken = []

    def examine(entries: Sequence[Stored]) -> list[Examined]:
        taken.append(len(entries))
        return same(entries)

    class Large(Entries):
        def entries(self, start: int = 0) -> Iterator[Stored]:
            return (replace(each, envelope=bytes(5 << 20)) for each in super().entries(start))

    assert [each.index for each in run(Large(5), examine, threads=1)] == [*range(5)]
    assert taken == [1] * 5


def test_python_looks_for_garbage_as_often_as_before() -> None:
    before = gc.get_threshold()
    found = run(Entries(5))
    next(found)
    assert gc.get_threshold() > before
    found.close()
    assert gc.get_threshold() == before


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
    def examine(entries: Sequence[Stored]) -> list[Examined]:
        raise NotImplementedError

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
