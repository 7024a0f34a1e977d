from __future__ import annotations

import resource
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mandate.engine.errors import BadConfiguration, BadRequest
from mandate.engine.replay.impact import Examined
from mandate.engine.replay.journal import Journal

KEY = {"base": "a", "changed": ["b"]}


def flip(index: int) -> dict[str, Any]:
    return {"kind": "flip", "index": index}


def filled(folder: Path, entries: range, *, start: int = 0) -> Path:
    """A journal in which these entries flipped, left as an interrupted run leaves it."""
    with Journal(folder, KEY, start) as journal:
        for index in entries:
            journal.add(Examined(index, "deny_to_allow", flip(index), unanswered=index % 2 == 0))
        journal.keep()
        return journal.path


def state(journal: Journal) -> tuple[int, int, dict[str, int], int, list[int]]:
    indexes = [found["index"] for found in journal.found()]
    return journal.start, journal.following, dict(journal.counts), journal.unanswered, indexes


def test_a_run_is_gone_on_with_where_it_ended(tmp_path: Path) -> None:
    filled(tmp_path, range(5, 8), start=5)
    with Journal(tmp_path, KEY, 9) as journal:
        assert journal.resumed
        assert state(journal) == (5, 8, {"deny_to_allow": 3}, 1, [5, 6, 7])
        journal.add(Examined(8, "same"))
        journal.add(Examined(9, None))
        journal.keep()
    with Journal(tmp_path, KEY, 9) as journal:
        assert state(journal) == (5, 10, {"deny_to_allow": 3, "same": 1}, 1, [5, 6, 7])


@pytest.mark.parametrize(
    "torn", [b'{"kind":"flip","index":8}\n', b'{"kind":"fl', b"\xff\n", b"7\n", b"\0" * 100]
)
def test_what_was_not_finished_is_done_again(tmp_path: Path, torn: bytes) -> None:
    path = filled(tmp_path, range(8))
    whole = path.read_bytes()
    path.write_bytes(whole + torn)
    with Journal(tmp_path, KEY, 0) as journal:
        assert state(journal) == (0, 8, {"deny_to_allow": 8}, 4, [*range(8)])
    assert path.read_bytes() == whole


@pytest.mark.parametrize("content", [b"", b"\n", b"[]\n", b'{"run":{"base":"b"},"start":0}\n', b"\xff"])
def test_another_run_is_not_gone_on_with(tmp_path: Path, content: bytes) -> None:
    path = filled(tmp_path, range(8))
    path.write_bytes(content)
    with Journal(tmp_path, KEY, 3) as journal:
        assert not journal.resumed
        assert state(journal) == (3, 3, {}, 0, [])


def test_a_run_that_was_interrupted_at_once_begins_where_it_began(tmp_path: Path) -> None:
    with Journal(tmp_path, KEY, 3):
        pass
    with Journal(tmp_path, KEY, 9) as journal:
        assert (journal.resumed, journal.start, journal.following) == (False, 3, 3)


def test_another_key_is_another_file(tmp_path: Path) -> None:
    one = filled(tmp_path, range(2))
    with Journal(tmp_path, KEY | {"base": "c"}, 0) as journal:
        assert journal.path != one
        assert not journal.resumed


def test_two_runs_of_one_comparison_do_not_mix(tmp_path: Path) -> None:
    with (
        Journal(tmp_path, KEY, 0),
        pytest.raises(BadRequest, match="the same comparison is under way"),
        Journal(tmp_path, KEY, 0),
    ):
        pass


def test_memory_holds_a_bounded_number_of_findings(tmp_path: Path) -> None:
    with Journal(tmp_path, KEY, 0) as journal:
        for index in range(1200):
            journal.add(Examined(index, "deny_to_allow", flip(index)))
            assert index + 1 - len([*journal.found()]) < 500 or index % 100
        assert len([*journal.found()]) > 1200 - 500


def test_only_its_owner_reads_it(tmp_path: Path) -> None:
    path = filled(tmp_path / "impact", range(2))
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)


@pytest.fixture
def no_room() -> Iterator[None]:
    """No file may grow beyond 200 bytes: the kernel refuses the write, as it does on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_is_told(tmp_path: Path, no_room: None) -> None:
    with pytest.raises(BadConfiguration, match="how far it has come cannot be written down: File too large"):
        filled(tmp_path, range(100))


def test_a_folder_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "impact").write_text("")
    with pytest.raises(BadConfiguration, match="how far it has come cannot be written down"):
        filled(tmp_path / "impact", range(1))
