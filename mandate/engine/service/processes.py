"""Several processes on one socket: one that ends is replaced, and all end together, each in its own time."""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

_log = logging.getLogger(__name__)
_EVERY_SECONDS = 0.2
_PAUSE_SECONDS = 1.0
"""Before a process is replaced that ended at once: what ails it will not be gone sooner."""


def bound(listen: str) -> socket.socket:
    """A socket at `host:port`, or `unix:` and a path, for child processes too. `OSError` if it is taken."""
    if listen.startswith("unix:"):
        path = listen.removeprefix("unix:")
        Path(path).unlink(missing_ok=True)
        made = socket.socket(socket.AF_UNIX)
        made.bind(path)
        Path(path).chmod(0o660)
    else:
        host, _, port = listen.rpartition(":")
        host = host.strip("[]")
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        made = socket.socket(family)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, int(port)))
    made.listen(2048)
    made.set_inheritable(True)
    return made


def keep(
    commands: Sequence[Sequence[str]], shared: socket.socket, *, grace: float, ended: Callable[[int], None]
) -> int:
    """Run a process of each command until a signal ends them; they have `grace` seconds to end.

    `ended` is told which one ended by itself, before another takes its place. Returns the exit code.
    """
    wanted: list[int] = []
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda number, _frame: wanted.append(number))

    def start(command: Sequence[str]) -> tuple[subprocess.Popen[bytes], float]:
        return subprocess.Popen(command, pass_fds=[shared.fileno()]), time.monotonic()

    running = [start(command) for command in commands]
    while not wanted:
        time.sleep(_EVERY_SECONDS)
        for index, (process, since) in enumerate(running):
            if process.poll() is None or wanted:
                continue
            _log.error(
                "a process of the service ended", extra={"pid": process.pid, "status": process.returncode}
            )
            if time.monotonic() - since < _PAUSE_SECONDS:
                time.sleep(_PAUSE_SECONDS)
            ended(index)
            running[index] = start(commands[index])
    for process, _ in running:
        process.send_signal(signal.SIGTERM)
    end = time.monotonic() + grace
    for process, _ in running:
        try:
            process.wait(max(0.0, end - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    return 0


def end_with(parent: int) -> None:
    """End this process, as a signal would, when the one that started it is gone, however that ended.

    `parent`: its process id, as it said itself: it may be gone already.
    """

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_EVERY_SECONDS)
        _log.error("the process that started this one is gone")
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="mandate-parent", daemon=True).start()


def again(arguments: Sequence[str]) -> list[str]:
    """The command that runs Mandate with these arguments in another process."""
    return [sys.executable, "-m", "mandate", *arguments]
