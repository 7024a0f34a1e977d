"""An OPA of our own: a child process on a Unix socket that nobody else can reach."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
import weakref
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Self

from ... import share
from ..digests import sha256
from ..errors import BadPolicy, MandateError, OpaUnavailable
from ..http.deadline import Deadline
from ..http.endpoint import LONGEST_SOCKET_PATH
from ..said import quoted
from .client import BUNDLE, OpaClient

_AUTHORISATION = "authz"
_SOCKET = "s"
_LOG = "log"
_POLL_SECONDS = 0.001
_FAREWELL_SECONDS = 2.0
_LONGEST_REPORT = 2000
_MOST_MEMORY = "220MiB"
"""Beyond that Go collects garbage sooner than it was told to."""

# The guard: a shell that starts OPA and then only waits for the end of its standard input, a pipe whose
# other end Mandate alone holds. The system closes that end when Mandate ends, however it ends: SIGKILL too.
#
#   setpriv            OPA dies with the guard, should somebody kill that. (PR_SET_PDEATHSIG is tied to the
#                      *thread* that started a process: Mandate cannot use it itself, since the thread
#                      that starts OPA may end long before Mandate does. The guard has one thread.)
#                      Where the system has no setpriv that can do so, `close` is the last resort.
#   "$@" &             OPA is a child of the guard: the guard knows its id. What OPA says goes to a file;
#                      it writes nothing to descriptor 3, the pipe to Mandate, but holds it.
#   echo "$!"          tells Mandate OPA's id.
#   exec >&-           from here OPA alone holds the write end of that pipe: its end is OPA's end.
#   read               returns at the end of the pipe; nothing is ever written to it.
#   kill -KILL         even a stopped OPA dies of it. OPA keeps nothing that it should put in order first.
#   rm -rf             the private folder, which a killed Mandate can no longer remove.
#   wait               nobody else would: in a container the first process, which inherits orphans, may be
#                      Mandate, and each OPA that was replaced would stay as a zombie.
_GUARD = """
folder=$1; shift
if setpriv --pdeathsig KILL true 2>/dev/null; then set -- setpriv --pdeathsig KILL "$@"; fi
"$@" </dev/null 3>&1 >log 2>&1 &
echo "$!"
exec >&-
read -r _
kill -KILL "$!"
cd /
rm -rf -- "$folder"
wait "$!"
"""


class LocalOpa:
    """An OPA with one bundle, from `start` (or entering the context) to `close`.

    `program`: an `opa`, or how to find one (such as `find_opa`). `bundle`: the archive of the policies, whose
    manifest must confine them to the root `mandate`. `bundle_sha256`: if given, the archive must have this
    digest. `timeout`: seconds to get ready. `garbage`: percent of the memory in use that may be garbage
    before Go collects it; where thousands of questions follow each other, more memory saves a third of the
    time, as long as OPA takes less than some 220 MB. `batches`: whether it can be asked about many inputs at
    once.
    """

    def __init__(
        self,
        program: Path | Callable[[], Path],
        bundle: Path,
        *,
        bundle_sha256: str | None = None,
        timeout: float = 10.0,
        garbage: int | None = None,
        batches: bool = False,
    ) -> None:
        self._program = program
        self._bundle = bundle
        self._bundle_sha256 = bundle_sha256
        self._timeout = timeout
        self._garbage = garbage
        self._batches = batches
        self._owner = os.getpid()
        self._folder: Path | None = None
        self._guard: subprocess.Popen[bytes] | None = None
        self._pid: int | None = None
        self._beside: Mapping[str, str] = MappingProxyType({})
        self._failure: MandateError | None = None
        self._is_ready = False

    @property
    def url(self) -> str:
        """Where it listens, for `OpaClient`."""
        return f"unix://{self._running / _SOCKET}"

    @property
    def beside(self) -> Mapping[str, str]:
        """Bundles that it holds beside the policies, name → revision, for `OpaJudge`."""
        return self._beside

    @property
    def pid(self) -> int:
        """OPA's process id, once it is ready."""
        if self._pid is None:
            raise RuntimeError("OPA is not ready")
        return self._pid

    def start(self) -> None:
        """Start OPA and do not wait for it: it gets ready while facts are collected.

        What goes wrong is raised by `ready`, where somebody can record it.
        """
        if self._folder is not None or self._failure is not None:
            return
        try:
            program = self._program if isinstance(self._program, Path) else self._program()
            self._folder = _private_folder()
            self._fill(self._folder)
            self._guard = self._spawn(self._folder, program)
        except MandateError as error:
            self._failure = error
        except OSError as error:
            self._failure = OpaUnavailable(
                f"there is no place for what OPA needs: {error.strerror}",
                where="TMPDIR",
                next_step="Let TMPDIR name a folder that can be written to, with a few megabytes left",
            )
            self._failure.__cause__ = error

    def ready(self) -> None:
        """Return as soon as OPA answers; starts it if nobody did.

        `OpaUnavailable` if it does not start, with what it said; `BadPolicy` if the bundle cannot be read or
        is another one.
        """
        self.start()
        try:
            if self._failure is not None:
                raise self._failure
            if not self._is_ready:
                self._wait()
                self._is_ready = True
        except MandateError as error:
            self.close()
            self._failure = error
            raise

    def __enter__(self) -> Self:
        try:
            self.ready()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Kill OPA and remove what it was given. In a forked process, or if it does not run, do nothing."""
        guard, self._guard = self._guard, None
        folder, self._folder = self._folder, None
        self._is_ready = False
        if os.getpid() != self._owner:
            return
        if guard is not None and guard.stdin is not None and guard.stdout is not None:
            _GUARDS.discard(guard)
            guard.stdin.close()
            try:
                guard.wait(_FAREWELL_SECONDS)
            except subprocess.TimeoutExpired:  # somebody stopped it
                guard.kill()
                guard.wait()
            if self._pid is not None and not _ended(guard.stdout.fileno(), _FAREWELL_SECONDS):
                # Somebody killed the guard, and OPA did not die with it. It still holds its end of the
                # pipe, so the id is still its own.
                os.kill(self._pid, signal.SIGKILL)
            guard.stdout.close()
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)

    @property
    def _tuning(self) -> Mapping[str, str]:
        return {} if self._garbage is None else {"GOGC": str(self._garbage), "GOMEMLIMIT": _MOST_MEMORY}

    @property
    def _running(self) -> Path:
        if self._folder is None:
            raise RuntimeError("OPA was not started")
        return self._folder

    def _fill(self, folder: Path) -> None:
        """Put beside the socket what OPA loads: a copy, so that what was digested is what it reads."""
        try:
            archive = self._bundle.read_bytes()
        except OSError as error:
            raise BadPolicy(
                f"the policy bundle cannot be read: {error.strerror}",
                where=quoted(str(self._bundle)),
                next_step="Build the policies again",
            ) from error
        if self._bundle_sha256 is not None and sha256(archive) != self._bundle_sha256:
            raise BadPolicy(
                "the policy bundle was changed after it was built",
                where=quoted(str(self._bundle)),
                next_step="Build the policies again",
            )
        (folder / BUNDLE).write_bytes(archive)
        rules = {"authz.rego": (share.opa() / "system" / "authz" / "authz.rego").read_bytes()}
        roots = ["system/authz"]
        if self._batches:
            for file in sorted((share.opa() / "batch").glob("*.rego")):
                rules[f"batch_{file.name}"] = file.read_bytes()
            roots.append("batch")
        revision = sha256(b"".join(rules.values()))
        authorisation = folder / _AUTHORISATION
        authorisation.mkdir(mode=0o700)
        for name, content in rules.items():
            (authorisation / name).write_bytes(content)
        manifest = {"revision": revision, "roots": roots, "rego_version": 1}
        (authorisation / ".manifest").write_text(json.dumps(manifest), encoding="utf-8")
        self._beside = MappingProxyType({_AUTHORISATION: revision})

    def _spawn(self, folder: Path, program: Path) -> subprocess.Popen[bytes]:
        # Names are relative to the folder: a bundle's path is the name that provenance reports, and a
        # socket's path is limited to some hundred bytes.
        command = [
            str(program.absolute()),
            "run",
            "--server",
            f"--addr=unix://{_SOCKET}",
            "--unix-socket-perm=600",
            "--authorization=basic",
            "--log-level=error",
            "--log-format=text",
            "--skip-version-check",
            # Thresholds are kept as the evaluator reads them, and not converted for each question.
            "--optimize-store-for-read-speed",
            "--bundle",
            BUNDLE,
            _AUTHORISATION,
        ]
        try:
            guard = subprocess.Popen(
                ["/bin/sh", "-c", _GUARD, "mandate-opa-guard", str(folder), *command],
                cwd=folder,
                # Nothing of ours: no token, no proxy. OPA's own variables could change what it does.
                env={"PATH": os.defpath, "HOME": str(folder), "LC_ALL": "C", **self._tuning},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
                # Interrupting Mandate at a terminal must not kill OPA under a question that is being put.
                start_new_session=True,
            )
        except OSError as error:
            raise OpaUnavailable(
                f"OPA cannot be started: {error.strerror}",
                where="/bin/sh",
                next_step="Give OPA by URL instead",
            ) from error
        _GUARDS.add(guard)
        return guard

    def _wait(self) -> None:
        deadline = Deadline(self._timeout)
        if self._guard is None or self._guard.stdout is None:
            raise RuntimeError("OPA was not started")
        life = self._guard.stdout.fileno()
        try:
            self._pid = _number(life, deadline)
            while not self._answers(deadline):
                if _ended(life, min(_POLL_SECONDS, deadline.remaining())):
                    raise self._failed("OPA ended while it started")
        except TimeoutError as error:
            raise self._failed(f"OPA was not ready within {self._timeout:g} s") from error

    def _answers(self, deadline: Deadline) -> bool:
        if not (self._running / _SOCKET).exists():
            return False
        try:
            with OpaClient(self.url, timeout=deadline.remaining()) as client:
                client.health()
        except OpaUnavailable:
            return False
        return True

    def _failed(self, what: str) -> OpaUnavailable:
        try:
            with (self._running / _LOG).open("rb") as log:
                said = log.read(_LONGEST_REPORT)
        except OSError:
            said = b""
        return OpaUnavailable(
            f"{what}, saying {quoted(said, _LONGEST_REPORT)}" if said.strip() else f"{what}, saying nothing",
            where="OPA on this machine",
            next_step="Correct what it says, or run `mandate opa install` for an OPA that is known to start",
        )


_GUARDS: weakref.WeakSet[subprocess.Popen[bytes]] = weakref.WeakSet()


def _let_go() -> None:
    """In a process forked from ours: give up the pipes, or OPA would live until the last fork ended."""
    for guard in _GUARDS:
        if guard.stdin is not None:
            guard.stdin.close()


os.register_at_fork(after_in_child=_let_go)


def _private_folder() -> Path:
    """A new folder that only this user can enter, on a path short enough for a socket."""
    for parent in (None, "/tmp"):  # noqa: S108  (mkdtemp makes a folder that is ours alone, anywhere)
        folder = Path(tempfile.mkdtemp(prefix="mandate-", dir=parent)).resolve()
        if len(os.fsencode(folder / _SOCKET)) <= LONGEST_SOCKET_PATH:
            return folder
        folder.rmdir()
    raise OpaUnavailable(
        "there is no folder with a path short enough for OPA's socket",
        where="TMPDIR",
        next_step=f"Set TMPDIR to a folder whose path has less than {LONGEST_SOCKET_PATH - 30} bytes",
    )


def _number(pipe: int, deadline: Deadline) -> int | None:
    """The decimal number in the pipe's first line; `None` if the pipe ends before it."""
    line = b""
    while not line.endswith(b"\n"):
        if not _readable(pipe, deadline.remaining()):
            continue
        byte = os.read(pipe, 1)
        if not byte:
            return None
        line += byte
    return int(line)


def _ended(pipe: int, seconds: float) -> bool:
    """Whether the pipe's last writer went away; waits up to `seconds` for it."""
    deadline = time.monotonic() + seconds
    while _readable(pipe, max(0.0, deadline - time.monotonic())):
        if not os.read(pipe, 4096):
            return True
    return False


def _readable(pipe: int, seconds: float) -> bool:
    poll = select.poll()
    poll.register(pipe, select.POLLIN)
    return bool(poll.poll(seconds * 1000))
