"""The first process of a container waits for what others have left behind, and ends as its child does."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from mandate.engine.service import processes
from tests.organisation import founded
from tests.served import Running, children_of, decide, eventually, free_port
from tests.service import with_callers

FIRST = """
import ctypes, os, subprocess, sys, time
from pathlib import Path
from mandate.engine.service import processes
PR_SET_CHILD_SUBREAPER = 36  # orphans become this process's children, as in a container whose first it is
assert ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
processes._FIRST = os.getpid()
processes.go_on_in_a_child()
"""
ORPHANS = """
for _ in range(3):
    subprocess.run(["sh", "-c", "sleep 0.1 &"], check=True)
time.sleep(0.5)
own = subprocess.run(["sh", "-c", "exit 7"], check=False).returncode
first = os.getppid()
left = Path(f"/proc/{first}/task/{first}/children").read_text().split()
print(own, left == [str(os.getpid())], flush=True)
sys.exit(5)
"""
WAITS = """
print("waits", flush=True)
time.sleep(60)
"""


def test_it_leaves_no_zombie_and_takes_no_status_that_its_child_waits_for() -> None:
    ran = subprocess.run([sys.executable, "-c", FIRST + ORPHANS], capture_output=True, text=True, check=False)
    assert (ran.stdout, ran.stderr, ran.returncode) == ("7 True\n", "", 5)


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_it_passes_signals_on_and_says_what_its_child_ended_by(sent: signal.Signals) -> None:
    quiet = "import signal; signal.signal(signal.SIGINT, signal.SIG_DFL)\n"
    with subprocess.Popen([sys.executable, "-c", quiet + FIRST + WAITS], stdout=subprocess.PIPE) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == b"waits\n"
        first.send_signal(sent)
        assert first.wait(20) == 128 + sent


SERVES = """
from mandate.engine import cli
sys.exit(cli.run(["serve", "--workers", "2"]))
"""


def test_a_service_that_is_the_first_process_leaves_no_zombie_and_ends_with_its_signal(
    tmp_path: Path,
) -> None:
    port = free_port()
    organisation = with_callers(founded(tmp_path, trusting=True), listen=f"127.0.0.1:{port}")
    command = [sys.executable, "-c", FIRST + SERVES]
    with subprocess.Popen(command, cwd=organisation.folder, stderr=subprocess.DEVNULL) as first:
        running = Running(first, f"http://127.0.0.1:{port}")
        with running.client() as client:
            eventually(lambda: client.get("/readyz").status_code == 200)
            (keeper,) = children_of(first.pid)
            os.kill(children_of(keeper)[0], signal.SIGKILL)
            # What it had started is left behind, and ends: its OPA, and who watches over that.
            eventually(lambda: len(children_of(keeper)) == 2 and children_of(first.pid) == [keeper])
            eventually(lambda: client.get("/readyz").status_code == 200)
            assert decide(client).json()["outcome"] == "allow"
        assert running.stop() == 0


def test_a_unix_socket_is_taken_from_nobody_who_listens_there_and_no_other_file_is(tmp_path: Path) -> None:
    place = tmp_path / "mandate.sock"
    with processes.bound(f"unix:{place}") as listening:
        with pytest.raises(OSError, match="in use"):
            processes.bound(f"unix:{place}")
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(place))
            listening.accept()[0].close()
    processes.bound(f"unix:{place}").close()  # whoever listened there has left it behind
    place.unlink()
    place.write_text("something else")
    with pytest.raises(OSError, match="in use"):
        processes.bound(f"unix:{place}")
    assert place.read_text() == "something else"


INTERRUPTED = """
import os, signal, uvicorn
from fastapi import FastAPI
from mandate.engine.service import processes, server
from mandate.engine.service.settings import ServiceSettings
run = uvicorn.Server.run
def interrupted(*given, **named):
    os.kill(os.getpid(), signal.SIGTERM)
    return run(*given, **named)
uvicorn.Server.run = interrupted
server.run(FastAPI(), ServiceSettings(), None, processes.bound("127.0.0.1:0"))
print("ended", flush=True)
"""


def test_a_signal_that_comes_before_the_service_answers_ends_it_too() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, check=False, timeout=30
    )
    assert (ran.stdout, ran.stderr, ran.returncode) == ("ended\n", "", 0)


LIMITED = """
import resource
from mandate.engine.service import processes
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
processes.allow_connections()
before = resource.getrlimit(resource.RLIMIT_NOFILE)
print(before[0] > 256, before[1] == hard)
processes.allow_connections()
print(resource.getrlimit(resource.RLIMIT_NOFILE) == before)
"""


def test_it_may_have_as_many_connections_as_the_system_lets_it() -> None:
    ran = subprocess.run([sys.executable, "-c", LIMITED], capture_output=True, text=True, check=False)
    assert (ran.stdout, ran.stderr) == ("True True\nTrue\n", "")
