"""Several processes on one socket: one that ends is replaced, and all end together, each in its own time.

And the first process of a container, whose children are also those whom their own parents left behind.
"""

from __future__ import annotations

import logging
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from ..errors import BadRequest

_log = logging.getLogger(__name__)
_FIRST = 1
"""The id of a container's first process."""
_KILLED = 128
"""As shells say it: with the number of the signal, the exit code of what was killed."""
_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_FILES = 1 << 16
_EVERY_SECONDS = 0.2
_PAUSE_SECONDS = 1.0
"""Before a process is replaced that ended at once: what ails it will not be gone sooner."""


def bound(listen: str) -> socket.socket:
    """A socket at `host:port`, or `unix:` and a path, for child processes too. `OSError` if it is taken."""
    with ExitStack() as stack:
        if listen.startswith("unix:"):
            path = Path(listen.removeprefix("unix:"))
            made = stack.enter_context(socket.socket(socket.AF_UNIX))
            if _is_left_behind(path):
                path.unlink()
            made.bind(str(path))
            path.chmod(0o660)
        else:
            host, _, port = listen.rpartition(":")
            host = host.strip("[]")
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            made = stack.enter_context(socket.socket(family))
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            made.bind((host, int(port)))
        made.listen(2048)
        made.set_inheritable(True)
        stack.pop_all()
    return made


def _is_left_behind(path: Path) -> bool:
    """Whether it is a socket on which nobody listens any more."""
    with socket.socket(socket.AF_UNIX) as client:
        client.setblocking(False)  # whoever listens may have a long queue
        try:
            client.connect(str(path))
        except ConnectionRefusedError:
            return path.is_socket()
        except OSError:
            return False
    return False


def go_on_in_a_child() -> None:
    """Return in a child if this is the first process of its container; else, and there, nothing happens.

    The first one inherits whatever loses its parent, such as what a killed process had started, and must wait
    for all of it, or it stays as a zombie. A process that has children of its own cannot do that: it would
    take from them what they wait for. So this one does nothing else, passes signals on, and ends as its child
    ends.
    """
    if os.getpid() != _FIRST:
        return
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)  # none must come before it is known what to do with it
    child = os.fork()
    if child != 0:
        for each in _SIGNALS:
            signal.signal(each, lambda number, _frame: os.kill(child, number))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
    if child != 0:
        os._exit(_status_of(child))


def _status_of(child: int) -> int:
    """The exit code of this child, once it ends; whatever else ends until then has been waited for."""
    ended, status = os.wait()
    while ended != child:
        ended, status = os.wait()
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else _KILLED - code


def allow_connections() -> None:
    """Have as many files open as the system lets this process have: each connection is one.

    With the usual 1024, as many clients that only hold a connection would keep all others away.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _FILES if hard == resource.RLIM_INFINITY else min(hard, _FILES)
    if resource.RLIM_INFINITY != soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def keep(
    commands: Sequence[Sequence[str]], shared: socket.socket, *, grace: float, ended: Callable[[int], None]
) -> int:
    """Run a process of each command until a signal ends them; they have `grace` seconds to end.

    `ended` is told which one ended by itself, before another takes its place. Returns the exit code. One that
    cannot begin with the settings as they are ends all, or each that takes its place would say so again.
    """
    wanted: list[int] = []
    replaced: set[int] = set()
    code = 0
    for each in _SIGNALS:
        signal.signal(each, lambda number, _frame: wanted.append(number))

    def start(command: Sequence[str]) -> tuple[subprocess.Popen[bytes], float]:
        return subprocess.Popen(command, pass_fds=[shared.fileno()]), time.monotonic()

    running = [start(command) for command in commands]
    while not wanted and code == 0:
        time.sleep(_EVERY_SECONDS)
        for index, (process, since) in enumerate(running):
            if process.poll() is None or wanted:
                continue
            _log.error(
                "a process of the service ended", extra={"pid": process.pid, "status": process.returncode}
            )
            if process.returncode == BadRequest.exit_code and index not in replaced:
                code = process.returncode
                break
            if time.monotonic() - since < _PAUSE_SECONDS:
                time.sleep(_PAUSE_SECONDS)
            ended(index)
            replaced.add(index)
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
    return code


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
