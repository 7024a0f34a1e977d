"""Group commit by itself: who waits is stored together, within bounds, and told what happened to it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

import pytest

from mandate.engine.errors import NotRecorded
from mandate.engine.evidence.sql.group import GroupCommit, Refused


class Held:
    """A store that waits with its first call until it is let go, and notes the size of each."""

    def __init__(self, then: Callable[[Sequence[int]], None] = lambda _: None) -> None:
        self.sizes: list[int] = []
        self._first = threading.Event()
        self._then = then

    def __call__(self, items: Sequence[int]) -> list[str]:
        self.sizes.append(len(items))
        if len(self.sizes) == 1:
            assert self._first.wait(30)
        else:
            self._then(items)
        return [f"stored {item}" for item in items]

    def go_on(self) -> None:
        self._first.set()


def together(held: Held, batches: Sequence[Sequence[int]]) -> dict[int, object]:
    """What each batch was told, of which all but the first arrive while that one is stored."""
    group = GroupCommit(held)
    said: dict[int, object] = {}

    def bring(number: int) -> None:
        try:
            said[number] = group(batches[number])
        except BaseException as error:  # noqa: BLE001  (what it is, is the question)
            said[number] = type(error)

    threads = [threading.Thread(target=bring, args=(number,)) for number in range(len(batches))]
    threads[0].start()
    while not held.sizes:
        time.sleep(0.001)
    for number, thread in enumerate(threads[1:], 1):
        thread.start()
        while len(group._line) < number:
            time.sleep(0.001)
    held.go_on()
    for thread in threads:
        thread.join()
    return said


def test_what_waits_is_stored_together_within_bounds() -> None:
    held = Held()
    said = together(held, [[0], range(300), [1, 2], range(600), [3], [4]])
    assert held.sizes == [1, 302, 600, 2]
    assert [len(said[number]) for number in range(6)] == [1, 300, 2, 600, 1, 1]  # type: ignore[arg-type]
    assert said[2] == ["stored 1", "stored 2"]
    assert said[5] == ["stored 4"]


def test_a_refusal_is_for_those_who_brought_what_is_refused() -> None:
    def refuse(items: Sequence[int]) -> None:
        if 7 in items:
            raise Refused("seven")

    assert together(Held(refuse), [[0], [1], [6, 7], [8]]) == {
        0: ["stored 0"],
        1: ["stored 1"],
        2: Refused,
        3: ["stored 8"],
    }


@pytest.mark.parametrize("error", [NotRecorded("the disk is full"), ValueError(), KeyboardInterrupt()])
def test_any_other_error_is_for_all_who_were_stored_together(error: BaseException) -> None:
    def fail(_items: Sequence[int]) -> None:
        raise error

    assert together(Held(fail), [[0], [1], [2]]) == {0: ["stored 0"], 1: type(error), 2: type(error)}
