"""Workers answer, or nobody waits for them."""

from __future__ import annotations

import os
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from mandate.engine.service.workers import WorkerFailed, Workers

ECHO = "import sys\nfor line in sys.stdin: print(line, end='', flush=True)"
DEAF = "import time\ntime.sleep(60)"
LONG = {"document": "x" * (1 << 20)}
"""More than a pipe holds."""


@contextmanager
def workers(script: str, seconds: float) -> Iterator[Workers]:
    made = Workers([sys.executable, "-c", script], count=1, seconds=seconds)
    try:
        yield made
    finally:
        made.close()


def test_one_that_does_not_read_holds_nobody_up() -> None:
    began = time.monotonic()
    with workers(DEAF, 1) as deaf, pytest.raises(WorkerFailed, match="it took too long"):
        deaf.ask(LONG)
    assert time.monotonic() - began < 10


def test_a_long_question_is_asked_whole() -> None:
    with workers(ECHO, 30) as echo:
        assert echo.ask(LONG) == LONG


def test_what_is_nested_too_deeply_is_no_answer() -> None:
    deep = "print('[' * 200_000, flush=True)\n" + DEAF
    with workers(deep, 30) as asked, pytest.raises(WorkerFailed, match="the worker ended"):
        asked.ask({"a": 1})


def test_they_answer_beside_more_than_a_thousand_connections() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 4096), hard))
    held = [os.open(os.devnull, os.O_RDONLY) for _ in range(1100)]
    try:
        with workers(ECHO, 30) as echo:
            assert echo.ask({"a": 1}) == {"a": 1}
    finally:
        for each in held:
            os.close(each)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
