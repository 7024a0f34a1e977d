"""Processes that append to a ledger, and what they were told."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from mandate.engine.evidence import public_keys
from mandate.engine.evidence.verify import report, verify

from .databases import Home

APPENDING = Path(__file__).with_name("appending.py")

Told = tuple[int, str, str]
"""Index, id and leaf of a decision that was acknowledged."""


def start(
    folder: Path,
    where: object,
    *arguments: object,
    prefix: tuple[str, ...] = (),
    environment: Mapping[str, str] | None = None,
) -> subprocess.Popen[str]:
    """A process that appends."""
    command = [*prefix, sys.executable, str(APPENDING), str(folder), str(where), *map(str, arguments)]
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **(environment or {})},
    )


def ran(folder: Path, where: object, *arguments: object) -> str:
    """What a process said that appended."""
    process = start(folder, where, *arguments)
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    return said


def acknowledged(said: str) -> list[Told]:
    """The decisions that a process was told are recorded; a line that was cut off does not count."""
    lines = (line.split() for line in said.splitlines(keepends=True) if line.endswith("\n"))
    return [(int(words[0]), words[1], words[2]) for words in lines if words[0] != "refused:"]


def recorded(home: Home, folder: Path) -> set[Told]:
    """What the ledger has, all of it verified, and nothing of it twice."""
    keys = public_keys.load_folder(folder)
    with closing(home.reading()) as ledger:
        found = report(verify(ledger, keys))
        assert found.faults == ()
        entries = [(each.index, each.id, each.leaf.hex()) for each in ledger.entries()]
    assert found.entries == len(entries)
    assert len({entry_id for _, entry_id, _ in entries}) == len(entries)
    return set(entries)


@dataclass(frozen=True)
class Child:
    """A process that appends, and the file in which stands what it was told."""

    pid: int
    file: Path

    def begun(self) -> None:
        """Wait until it was told something."""
        while not (self.file.exists() and self.file.stat().st_size):
            time.sleep(0.001)

    def kill(self) -> None:
        """As `kill -9` does; return when it is no more."""
        os.kill(self.pid, signal.SIGKILL)
        while True:
            try:
                os.kill(self.pid, 0)
            except ProcessLookupError:
                return
            time.sleep(0.001)


@dataclass
class Nursery:
    """Has children that append, each of which can be killed."""

    folder: Path
    process: subprocess.Popen[str]
    files: list[Path] = field(default_factory=list)

    def child(self) -> Child:
        """A new child."""
        file = self.folder / f"told-{len(self.files)}"
        self.files.append(file)
        assert self.process.stdin
        assert self.process.stdout
        print(file, file=self.process.stdin, flush=True)
        return Child(int(self.process.stdout.readline()), file)

    def told(self) -> list[Told]:
        """What all children were told, dead or alive."""
        return [told for file in self.files if file.exists() for told in acknowledged(file.read_text())]


@contextmanager
def nursery(folder: Path, home: Home, *arguments: object) -> Iterator[Nursery]:
    """Its children are gone afterwards, if they were killed."""
    with start(folder, home.where, "--serve", *arguments) as process:
        yield Nursery(folder, process)
        assert process.stdin
        process.stdin.close()
