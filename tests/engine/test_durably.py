from __future__ import annotations

import os
import threading
from pathlib import Path

from mandate.engine import durably


def test_threads_that_write_one_file_at_once_all_succeed_and_one_content_is_there(tmp_path: Path) -> None:
    file, failures = tmp_path / "bundle", list[OSError]()
    contents = [bytes([number]) * 10_000 for number in range(8)]
    together = threading.Barrier(len(contents))

    def write(content: bytes) -> None:
        together.wait()
        for _ in range(20):
            try:
                durably.write(file, content)
            except OSError as error:
                failures.append(error)

    threads = [threading.Thread(target=write, args=(content,)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert file.read_bytes() in contents
    assert [*tmp_path.iterdir()] == [file]


def test_the_file_that_is_there_says_who_may_read_it_only_if_that_is_wanted(tmp_path: Path) -> None:
    file = tmp_path / "thresholds.yaml"
    durably.write(file, b"1", mode=0o600, keep_mode=True)
    assert (file.read_bytes(), file.stat().st_mode & 0o777) == (b"1", 0o600)
    file.chmod(0o660)
    durably.write(file, b"2", keep_mode=True)
    assert (file.read_bytes(), file.stat().st_mode & 0o777) == (b"2", 0o660)
    durably.write(file, b"3", mode=0o400)
    assert (file.read_bytes(), file.stat().st_mode & 0o777) == (b"3", 0o400)


def test_what_is_not_put_in_its_place_is_gone(tmp_path: Path) -> None:
    file = tmp_path / "entry"
    with durably.beside(file, b"new") as part:
        assert (part.read_bytes(), part.name.startswith(".entry."), file.exists()) == (b"new", True, False)
    assert [*tmp_path.iterdir()] == []


def test_a_pipe_gets_the_content_and_stays_a_pipe(tmp_path: Path) -> None:
    pipe, said = tmp_path / "pipe", list[bytes]()
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: said.append(pipe.read_bytes()), daemon=True)
    reader.start()
    durably.write(pipe, b"all of it")
    assert pipe.is_fifo()
    reader.join()
    assert said == [b"all of it"]
