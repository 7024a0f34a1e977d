from __future__ import annotations

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
