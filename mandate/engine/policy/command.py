"""Runs `opa` and `regal` as commands. (Judging is a server's work, not a command's.)"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import OpaUnavailable

TIMEOUT = 120.0
"""Seconds. Compiling takes a fraction of one."""

_GARBAGE_COLLECTION = {"GOGC": "400"}
"""For a command of seconds, Go's own setting spends a third of the time on saving memory."""


@dataclass(frozen=True, slots=True)
class Completed:
    """How a command ended."""

    status: int
    stdout: bytes
    stderr: bytes

    @property
    def complaint(self) -> str:
        """What it wrote to standard error, or else to standard output."""
        return (self.stderr.strip() or self.stdout.strip()).decode("utf-8", "replace")


def run(
    program: Path, arguments: Sequence[str], *, folder: Path, stdin: bytes = b"", timeout: float = TIMEOUT
) -> Completed:
    """Run the program in the folder, so that its messages hold relative paths.

    It gets none of this process's environment: OPA takes any flag from `OPA_…` variables.
    `OpaUnavailable` if it cannot be started, is killed, or takes longer than `timeout` seconds.
    """
    try:
        ended = subprocess.run(
            [str(program.absolute()), *arguments],
            cwd=folder,
            env=_GARBAGE_COLLECTION
            | {name: os.environ[name] for name in ("HOME", "TMPDIR") if name in os.environ},
            input=stdin,
            capture_output=True,
            timeout=timeout,
            check=False,
        )
    except OSError as failure:
        raise OpaUnavailable(
            f"it cannot be started: {failure.strerror}", where=str(program), next_step="Run `mandate doctor`"
        ) from failure
    except subprocess.TimeoutExpired as failure:
        raise OpaUnavailable(
            f"`{arguments[0]}` took longer than {timeout:g} seconds",
            where=str(program),
            next_step="Try again on a machine that is less busy",
        ) from failure
    if ended.returncode < 0:
        raise OpaUnavailable(
            f"`{arguments[0]}` was killed by signal {-ended.returncode}",
            where=str(program),
            next_step="Try again",
        )
    return Completed(ended.returncode, ended.stdout, ended.stderr)
