"""Processes that collect facts, so that the process that answers does not: it stays small and quick.

A worker is asked one thing at a time, a line of JSON, and answers with one. It may take so long and so much
memory; one that takes longer is killed, and another is started when it is needed.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import select
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import IO, Any, cast

from ..errors import CouldNotDecide

_log = logging.getLogger(__name__)
_LONGEST = 16 << 20
_PIECE = 1 << 16


class WorkerFailed(CouldNotDecide):
    """A worker took too long, too much, or ended."""


class Workers:
    """So many processes of one `command`, started when they are needed. Threads share them."""

    def __init__(self, command: Sequence[str], *, count: int, seconds: float) -> None:
        self._command = tuple(command)
        self._seconds = seconds
        self._idle: queue.LifoQueue[_Worker | None] = queue.LifoQueue()
        self._closed = threading.Event()
        for _ in range(count):
            self._idle.put(None)

    def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        """What a worker answers. `WorkerFailed` if none does in time."""
        end = time.monotonic() + self._seconds
        try:
            worker = self._idle.get(timeout=self._seconds)
        except queue.Empty as error:
            raise self._failed("no worker was free") from error
        try:
            if worker is None or not worker.lives():
                worker = _Worker(self._command)
            answer = worker.ask(question, end)
        except (OSError, ValueError, RecursionError, MemoryError) as error:
            if worker is not None:
                worker.kill()
                worker = None
            late = isinstance(error, TimeoutError)
            raise self._failed("it took too long" if late else "the worker ended") from error
        finally:
            if self._closed.is_set() and worker is not None:
                worker.kill()
            self._idle.put(worker)
        return answer

    def close(self) -> None:
        """End all workers: those that work now end with their work."""
        self._closed.set()
        while True:
            try:
                worker = self._idle.get_nowait()
            except queue.Empty:
                return
            if worker is not None:
                worker.kill()

    def _failed(self, what: str) -> WorkerFailed:
        return WorkerFailed(
            f"the facts could not be collected: {what}",
            where="collecting",
            next_step=f"Ask again; it may take {self._seconds:g} s",
        )


class _Worker:
    def __init__(self, command: Sequence[str]) -> None:
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
        )
        self._input = cast(IO[bytes], self._process.stdin)
        self._output = cast(IO[bytes], self._process.stdout)
        os.set_blocking(self._input.fileno(), False)
        _log.info("a worker was started", extra={"pid": self._process.pid})

    def lives(self) -> bool:
        return self._process.poll() is None

    def ask(self, question: dict[str, Any], end: float) -> dict[str, Any]:
        """`TimeoutError` if there is no answer until `end`, `OSError` or `ValueError` if there is none."""
        left = json.dumps(question).encode() + b"\n"
        while left:  # one that does not read must not hold us up, either
            left = left[os.write(_ready(self._input, select.POLLOUT, end), left) :]
        said = b""
        while not said.endswith(b"\n"):
            piece = os.read(_ready(self._output, select.POLLIN, end), _PIECE)
            if not piece:
                raise OSError("it ended")
            said += piece
            if len(said) > _LONGEST:
                raise ValueError("it says too much")
        answer = json.loads(said)
        if not isinstance(answer, dict):
            raise OSError("it does not say an object")
        return answer

    def kill(self) -> None:
        """End it, and what it has started."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        for pipe in (self._input, self._output):
            with suppress(OSError):
                pipe.close()
        self._process.wait()


def _ready(pipe: IO[bytes], event: int, end: float) -> int:
    """The pipe's descriptor, once it is ready. `TimeoutError` if it is not until `end`."""
    waiting = select.poll()  # `select` knows no descriptor beyond 1023, and each connection is one
    waiting.register(pipe, event)
    if not waiting.poll(max(0.0, end - time.monotonic()) * 1000):
        raise TimeoutError
    return pipe.fileno()
