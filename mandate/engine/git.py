"""Runs git to read a repository. Nothing that its own configuration names is run, and nothing is fetched."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from .errors import MandateError

TIMEOUT = 60.0
"""Seconds for one answer of git."""

_ENVIRONMENT = {
    "GIT_GRAFT_FILE": os.devnull,  # a graft gives a commit other ancestors
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",  # a replaced commit could have other files, or another author
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}
_SETTINGS = (
    "core.fsmonitor=false",
    "core.warnAmbiguousRefs=true",
    "log.showSignature=false",
    f"core.hooksPath={os.devnull}",
)


def run(
    folder: Path, *arguments: str, error: type[MandateError], where: str, stdin: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    """Run git in the folder, whatever it says. `error` at `where` if there is none, or no answer in time."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    settings = [part for setting in _SETTINGS for part in ("-c", setting)]
    try:
        return subprocess.run(
            ["git", "--no-pager", *settings, "-C", str(folder), *arguments],  # noqa: S607  (on PATH)
            env=inherited | _ENVIRONMENT,
            input=stdin,
            capture_output=True,
            timeout=TIMEOUT,
            check=False,
        )
    except FileNotFoundError as failure:
        raise error("git is not installed", where=where, next_step="Install git") from failure
    except (subprocess.TimeoutExpired, ValueError) as failure:
        raise error(
            f"git did not answer ({type(failure).__name__})", where=where, next_step="Try the same with git"
        ) from failure
