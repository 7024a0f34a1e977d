"""Finds an OPA to start."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

from .. import durably
from ..errors import OpaUnavailable
from ..said import quoted
from . import places
from .versions import pinned, refusal

_SEEN = "versions-on-path.json"
_SECONDS = 10


def find_opa(configured: Path | None = None) -> Path:
    """The `opa` to start: the configured one, else the one that Mandate built, else a good one on PATH.

    Cheap: the first two are not asked for their version, since each of their answers is refused if it is a
    bad one. One on PATH is asked once, so that a bad one is not preferred to the hint to build a good one.
    `OpaUnavailable` if there is none.
    """
    if configured is not None:
        if not _is_program(configured):
            raise OpaUnavailable(
                "there is no program at the configured path of OPA",
                where=quoted(str(configured)),
                next_step="Correct the path, or leave it out and run `mandate opa install`",
            )
        return configured.absolute()
    built = places.program("opa")
    if _is_program(built):
        return built
    on_path = shutil.which("opa")
    if on_path is None:
        raise OpaUnavailable(
            "there is no OPA on this machine",
            where=str(built),
            next_step=f"Run `mandate opa install`, which builds OPA {pinned('opa')}",
        )
    found = Path(on_path).absolute()
    if reason := refusal(_version_of(found)):
        raise OpaUnavailable(
            reason,
            where=quoted(str(found)),
            next_step=f"Run `mandate opa install`, which builds OPA {pinned('opa')}",
        )
    return found


def version(program: Path) -> str:
    """What `opa version` says it is, such as `1.22.2`; `OpaUnavailable` if it does not say."""
    try:
        said = subprocess.run(
            [program, "version"],
            capture_output=True,
            timeout=_SECONDS,
            check=True,
            stdin=subprocess.DEVNULL,
            text=True,
        ).stdout
    except (OSError, subprocess.SubprocessError, UnicodeError) as error:
        raise _silent(program) from error
    for line in said.splitlines():
        if line.startswith("Version: "):
            return line.removeprefix("Version: ").strip()
    raise _silent(program)


def _silent(program: Path) -> OpaUnavailable:
    return OpaUnavailable(
        "this program does not say which version of OPA it is",
        where=quoted(str(program)),
        next_step=f"Run `mandate opa install`, which builds OPA {pinned('opa')}",
    )


def _version_of(program: Path) -> str:
    """The version, asked once for each state of the file and then remembered."""
    status = program.stat()
    state = f"{program} {status.st_ino} {status.st_size} {status.st_mtime_ns}"
    memory = places.data_home() / _SEEN
    try:
        seen = json.loads(memory.read_bytes())
    except (OSError, ValueError):
        seen = None
    if isinstance(seen, dict) and seen.get("state") == state and isinstance(seen.get("version"), str):
        remembered: str = seen["version"]
        return remembered
    said = version(program)
    try:
        memory.parent.mkdir(parents=True, exist_ok=True)
        durably.write(memory, json.dumps({"state": state, "version": said}).encode())
    except OSError:
        pass  # Not remembered: asked again the next time.
    return said


def _is_program(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)
