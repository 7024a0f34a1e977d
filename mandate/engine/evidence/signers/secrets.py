"""Passphrases and PINs: from the environment, from a file, or from whoever sits at the terminal.

Never from an option, which every user of the machine sees in the list of processes, and the shell keeps.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ...errors import BadConfiguration
from ..keys import OTHERS

LEDGER = "MANDATE_KEY"
HEAD = "MANDATE_HEAD_KEY"
PERSON = "MANDATE_PERSON_KEY"
_NAMES = ("PASSPHRASE", "PIN")
VARIABLES = frozenset(
    f"{prefix}_{name}{suffix}"
    for prefix in (LEDGER, HEAD, PERSON)
    for name in _NAMES
    for suffix in ("", "_FILE")
)
"""Every variable that is read here."""
_TERMINAL = "/dev/tty"


@dataclass(frozen=True, slots=True)
class Secrets:
    """The secrets of one key: `<prefix>_PASSPHRASE`, `<prefix>_PIN`, or either with `_FILE`."""

    prefix: str = LEDGER
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)

    def passphrase(self, of: str) -> bytes:
        """The passphrase of a key; `of` is what a person is asked about. `BadConfiguration` without one."""
        return self.secret("passphrase", of).encode()

    def new_passphrase(self, of: str) -> bytes:
        """A passphrase to lock a new key with; a person types it twice."""
        first = self.secret("passphrase", of)
        if self._given("PASSPHRASE") is None and _typed(f"The same passphrase of {of} again: ") != first:
            raise BadConfiguration("the two passphrases are not the same", next_step="Try again")
        return first.encode()

    def secret(self, name: str, of: str) -> str:
        """The `passphrase` or `pin`. `BadConfiguration` if there is none to be had."""
        given = self._given(name.upper())
        if given is None and _somebody_is_there():
            given = _typed(f"The {name} of {of}: ")
        if not given:
            raise BadConfiguration(
                f"there is no {name} for {of}",
                next_step=f"Set {self.prefix}_{name.upper()}_FILE to a file with it, or run in a terminal",
            )
        return given

    def _given(self, name: str) -> str | None:
        """What the environment or a file has; an empty variable counts as given."""
        variable, file = f"{self.prefix}_{name}", f"{self.prefix}_{name}_FILE"
        if variable in self.environment and file in self.environment:
            raise BadConfiguration(f"{variable} and {file} are both set", next_step="Set one of them")
        if file in self.environment:
            return _content(Path(self.environment[file]), file)
        return self.environment.get(variable)


def _typed(question: str) -> str:
    """What somebody types at the terminal, which does not show it."""
    from getpass import getpass

    return getpass(question)


def _content(path: Path, variable: str) -> str:
    """A file's one line, without its end."""
    try:
        with path.open("rb") as opened:
            mode = os.fstat(opened.fileno()).st_mode
            content = opened.read().decode()
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or "it is not text"
        raise BadConfiguration(
            f"the file that {variable} names cannot be read: {reason}",
            where=str(path),
            next_step=f"Correct {variable}",
        ) from error
    if mode & OTHERS:
        raise BadConfiguration(
            f"others than its owner can read the secret (mode {mode & 0o777:04o})",
            where=str(path),
            next_step="Run `chmod 600` on it, and replace the secret if somebody may have read it",
        )
    return content.removesuffix("\n")


def _somebody_is_there() -> bool:
    """Whether this process has a terminal: `getpass` would read standard input without one."""
    try:
        os.close(os.open(_TERMINAL, os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True
