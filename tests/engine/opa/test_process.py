"""The OPA of our own: private, and gone when we are."""

from __future__ import annotations

import hashlib
import os
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mandate.engine.digests import file_sha256
from mandate.engine.errors import BadPolicy, OpaUnavailable
from mandate.engine.opa.client import OpaClient
from mandate.engine.opa.process import LocalOpa

from .conftest import Bundled


def lives(pid: int) -> bool:
    """Whether the process runs; one that ended and was not waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def gone(pid: int, seconds: float = 5.0) -> bool:
    """Whether the process ends in time."""
    end = time.monotonic() + seconds
    while lives(pid):
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def folder_of(running: LocalOpa) -> Path:
    return Path(running.url.removeprefix("unix://")).parent


def test_it_lives_as_long_as_its_context_and_leaves_nothing(opa: Path, bundle: Path) -> None:
    with LocalOpa(opa, bundle) as running:
        pid, folder = running.pid, folder_of(running)
        assert lives(pid)
        assert folder.is_dir()
    assert gone(pid)
    assert not folder.exists()


def test_nobody_else_can_reach_it(opa: Path, bundle: Path) -> None:
    with LocalOpa(opa, bundle) as running:
        folder = folder_of(running)
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert stat.S_IMODE((folder / "s").stat().st_mode) == 0o600
        sockets = {str(fd.readlink()) for fd in Path(f"/proc/{running.pid}/fd").iterdir()}
        inodes = {name[8:-1] for name in sockets if name.startswith("socket:[")}
        on_network = {
            line.split()[9]
            for table in ("tcp", "tcp6", "udp", "udp6")
            for line in Path(f"/proc/{running.pid}/net/{table}").read_text().splitlines()[1:]
        }
        assert inodes
        assert inodes.isdisjoint(on_network)


def test_it_gets_nothing_of_our_environment(opa: Path, bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MANDATE_SECRET", "s3cret")
    monkeypatch.setenv("OPA_LOG_LEVEL", "debug")
    with LocalOpa(opa, bundle) as running:
        environment = Path(f"/proc/{running.pid}/environ").read_bytes().split(b"\0")
        assert {entry.partition(b"=")[0] for entry in environment if entry} <= {
            b"PATH",
            b"HOME",
            b"LC_ALL",
            b"PWD",
            b"OLDPWD",
            b"_",
            b"SHLVL",
        }


def test_it_holds_the_policies_and_the_authorisation_and_says_which(opa: Path, bundle: Path) -> None:
    with LocalOpa(opa, bundle) as running, OpaClient(running.url, timeout=5) as client:
        answer = client.ask("mandate/main/decision", b"{}")
        rules = (folder_of(running) / "authz" / "authz.rego").read_bytes()
        assert running.beside == {"authz": hashlib.sha256(rules).hexdigest()}
        assert answer.revisions == {"mandate": "sha256:5f1c", **running.beside}


PARENT = """
import sys, time
from pathlib import Path
from mandate.engine.opa.process import LocalOpa
with LocalOpa(Path(sys.argv[1]), Path(sys.argv[2])) as running:
    print(running.pid, running.url, flush=True)
    time.sleep(600)
"""


def started_by_another(opa: Path, bundle: Path) -> tuple[subprocess.Popen[str], int, Path]:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(opa), str(bundle)], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    with parent.stdout as said:
        pid, url = said.readline().split()
    return parent, int(pid), Path(url.removeprefix("unix://")).parent


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_it_dies_with_its_parent_however_that_dies(opa: Path, bundle: Path, how: signal.Signals) -> None:
    parent, pid, folder = started_by_another(opa, bundle)
    with parent:
        assert lives(pid)
        parent.send_signal(how)
        parent.wait()
        assert gone(pid)
    end = time.monotonic() + 5
    while folder.exists() and time.monotonic() < end:
        time.sleep(0.01)
    assert not folder.exists()


def test_a_stopped_opa_dies_with_its_killed_parent(opa: Path, bundle: Path) -> None:
    parent, pid, _ = started_by_another(opa, bundle)
    with parent:
        os.kill(pid, signal.SIGSTOP)
        parent.kill()
        parent.wait()
        assert gone(pid)


FIRST = """
import ctypes, os, signal, sys
from pathlib import Path
from mandate.engine.opa.process import LocalOpa
PR_SET_CHILD_SUBREAPER = 36  # orphans become this process's children, as in a container whose first it is
assert ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
for how in (signal.SIGCONT, signal.SIGSTOP, signal.SIGKILL):
    with LocalOpa(Path(sys.argv[1]), Path(sys.argv[2])) as running:
        os.kill(running.pid, how)
try:
    sys.exit(f"left: {os.waitpid(-1, 0)}")
except ChildProcessError:
    print("nothing is left")
"""


def test_it_leaves_no_zombie_to_the_first_process_of_a_container(opa: Path, bundle: Path) -> None:
    command = [sys.executable, "-c", FIRST, str(opa), str(bundle)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ran.stdout, ran.stderr) == ("nothing is left\n", "")


def test_it_dies_with_its_guard(opa: Path, bundle: Path) -> None:
    with LocalOpa(opa, bundle) as running:
        pid = running.pid
        os.kill(parent_of(pid), signal.SIGKILL)
        assert gone(pid)


def test_a_stopped_guard_does_not_hold_up_the_end(opa: Path, bundle: Path) -> None:
    with LocalOpa(opa, bundle) as running:
        pid = running.pid
        os.kill(parent_of(pid), signal.SIGSTOP)
    assert gone(pid)


def test_without_a_guard_that_can_take_it_along_it_still_dies_at_the_end(
    opa: Path, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A system without setpriv: only the shell's own tools are on the default path.
    for name in ("true", "rm"):
        (tmp_path / name).symlink_to(f"/bin/{name}")
    monkeypatch.setattr(os, "defpath", str(tmp_path))
    with LocalOpa(opa, bundle) as running:
        pid = running.pid
        os.kill(parent_of(pid), signal.SIGKILL)
        assert not gone(pid, 0.3)
    assert gone(pid)


def test_it_survives_the_thread_that_started_it(opa: Path, bundle: Path) -> None:
    running = LocalOpa(opa, bundle)
    thread = threading.Thread(target=running.ready)
    thread.start()
    thread.join()
    with running, OpaClient(running.url, timeout=5) as client:
        time.sleep(0.2)
        client.health()


# Python 3.12 warns of forks beside threads, because of programs that did not mean to: this one does.
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_process_neither_ends_it_nor_keeps_it_alive(opa: Path, bundle: Path) -> None:
    with LocalOpa(opa, bundle) as running:
        pid = running.pid
        fork = os.fork()
        if fork == 0:
            running.close()
            time.sleep(600)
            os._exit(0)
        try:
            time.sleep(0.2)
            assert lives(pid)
            running.close()
            assert gone(pid)
        finally:
            os.kill(fork, signal.SIGKILL)
            os.waitpid(fork, 0)


def test_it_is_started_before_it_is_needed(opa: Path, bundle: Path) -> None:
    running = LocalOpa(opa, bundle)
    with pytest.raises(RuntimeError, match="was not started"):
        _ = running.url
    with pytest.raises(RuntimeError, match="not ready"):
        _ = running.pid
    running.start()
    running.start()
    assert folder_of(running).is_dir()
    with running, OpaClient(running.url, timeout=5) as client:
        client.health()


# What goes wrong ---------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for temporary files that is this test's alone, on a short path, and empty at its end."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)
        assert list(Path(folder).iterdir()) == []


def failure(running: LocalOpa) -> OpaUnavailable:
    with pytest.raises(OpaUnavailable) as failed, running:
        pass
    with pytest.raises(OpaUnavailable) as again:
        running.ready()
    assert again.value is failed.value
    return failed.value


def test_a_missing_program_is_said(tmp_path: Path, bundle: Path) -> None:
    assert "No such file or directory" in failure(LocalOpa(tmp_path / "opa", bundle)).what


def test_no_place_for_its_files_is_said(
    opa: Path, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    what = failure(LocalOpa(opa, bundle)).what
    assert what == "there is no place for what OPA needs: No such file or directory"


def test_no_program_to_be_found_is_said(bundle: Path) -> None:
    def nowhere() -> Path:
        raise OpaUnavailable("there is no OPA on this machine")

    assert failure(LocalOpa(nowhere, bundle)).what == "there is no OPA on this machine"


def test_a_program_that_is_no_opa_is_said(bundle: Path) -> None:
    assert failure(LocalOpa(Path("/bin/true"), bundle)).what == "OPA ended while it started, saying nothing"


def test_a_program_that_never_gets_ready_is_ended_in_time(bundle: Path, tmp_path: Path) -> None:
    idle = tmp_path / "idle"
    idle.write_text("#!/bin/sh\nexec sleep 600\n")
    idle.chmod(0o755)
    start = time.monotonic()
    assert (
        failure(LocalOpa(idle, bundle, timeout=0.5)).what == "OPA was not ready within 0.5 s, saying nothing"
    )
    assert time.monotonic() - start < 20


def test_a_bundle_that_opa_cannot_read_is_said_in_its_words(opa: Path, tmp_path: Path) -> None:
    (tmp_path / "bundle.tar.gz").write_bytes(b"not an archive")
    what = failure(LocalOpa(opa, tmp_path / "bundle.tar.gz")).what
    assert what.startswith('OPA ended while it started, saying "error: load error: ')


def test_a_bundle_that_claims_all_data_is_refused(opa: Path, bundled: Bundled) -> None:
    # It could bring an authorisation policy of its own.
    assert "overlapping roots" in failure(LocalOpa(opa, bundled(root=""))).what


def test_a_bundle_that_is_not_there_or_another_one_is_refused(
    opa: Path, bundle: Path, tmp_path: Path
) -> None:
    with pytest.raises(BadPolicy, match="cannot be read: No such file"), LocalOpa(opa, tmp_path / "none"):
        pass
    with (
        pytest.raises(BadPolicy, match="was changed after it was built"),
        LocalOpa(opa, bundle, bundle_sha256="0" * 64),
    ):
        pass
    with LocalOpa(opa, bundle, bundle_sha256=file_sha256(bundle)) as running:
        assert lives(running.pid)


def test_a_temporary_folder_with_a_long_path_is_avoided(
    opa: Path, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = tmp_path / ("x" * 120)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    with LocalOpa(opa, bundle) as running, OpaClient(running.url, timeout=5) as client:
        client.health()
    assert list(long.iterdir()) == []
