"""How far a run has come, on disk: it is gone on with by whoever asks the same again.

A file of JSON lines beside the ledger: first what is compared with what, then what was found, and now and
then how far that goes. What stands after the last such line was not finished and is done again. Memory holds
what was found since then only, and a report reads the file.

Whoever can write this file can make it say anything, as with the working folder of policies: it saves time,
and is no evidence. A run that came to its end leaves none.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from ..digests import document_sha256
from ..errors import BadConfiguration, BadRequest
from .difference import Json
from .impact import Examined

FORMAT = 3
_SECONDS = 1.0
"""How much work may have to be done again."""
_MOST_PENDING = 500
"""Findings that are kept in memory."""


class Journal:
    """The journal of one run, from entering the context on.

    `folder`: where journals are. `key`: what makes it the same run. `start`: the entry with which a new run
    begins; one that is gone on with began where it did. `anew`: do not go on with one.
    """

    def __init__(self, folder: Path, key: Json, start: int, *, anew: bool = False) -> None:
        self.path = folder / f"{document_sha256(key)[:32]}.jsonl"
        self.start = start
        """The first entry of the run."""
        self.following = start
        """The first entry that was not examined."""
        self.counts: Counter[str] = Counter()
        self.unanswered = 0
        """Decisions to which a side gave no answer."""
        self.by_reached = 0
        """Decisions that were judged by some rules alone."""
        self.flips_by_reached = 0
        """Those of them that flip."""
        self.rules: set[str] = set()
        """These rules."""
        self.resumed = False
        """Whether an earlier run is gone on with."""
        self._anew = anew
        self._key = dict(key) | {"format": FORMAT}
        self._pending: list[bytes] = []
        self._written = time.monotonic()
        self._file: BinaryIO | None = None

    def add(self, examined: Examined) -> None:
        """Note what became of the next entry."""
        self.following = examined.index + 1
        self.unanswered += examined.unanswered
        if examined.rules is not None:
            self.by_reached += 1
            self.flips_by_reached += examined.flips
            self.rules |= examined.rules
        if examined.count is not None:
            self.counts[examined.count] += 1
        if examined.found is not None:
            self._pending.append(_line(examined.found))
        if len(self._pending) >= _MOST_PENDING or time.monotonic() - self._written >= _SECONDS:
            self.keep()

    def keep(self) -> None:
        """Write down how far it has come."""
        mark = {
            "following": self.following,
            "counts": dict(self.counts),
            "unanswered": self.unanswered,
            "by_reached": self.by_reached,
            "flips_by_reached": self.flips_by_reached,
            "rules": sorted(self.rules),
        }
        self._append(b"".join(self._pending) + _line(mark))
        self._pending.clear()
        self._written = time.monotonic()

    def found(self, kind: str | None = None) -> Iterator[dict[str, Any]]:
        """What was found and kept, of this kind if one is named, in the order of the ledger."""
        begins = b'{"kind":' if kind is None else b'{"kind":"%b"' % kind.encode()
        with self.path.open("rb") as file:
            for line in file:
                if line.startswith(begins):
                    yield json.loads(line)

    def forget(self) -> None:
        """The run is at its end: nobody has to go on with it."""
        self.path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = os.fdopen(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600), "r+b", buffering=0)
            self._lock(self._file)
            self._begin(self._file)
        except OSError as error:
            self._close()
            raise self._unwritable(error) from error
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def _lock(self, file: BinaryIO) -> None:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BadRequest(
                "the same comparison is under way", where=str(self.path), next_step="Wait for its end"
            ) from error

    def _begin(self, file: BinaryIO) -> None:
        """Go on after the last mark, or begin anew."""
        end = 0
        for number, line in enumerate(iter(file.readline, b"")):
            try:
                said = json.loads(line) if line.endswith(b"\n") else None
            except ValueError:
                said = None
            if number == 0:
                if self._anew or not isinstance(said, dict) or said.get("run") != self._key:
                    break
                self.start = self.following = said["start"]
            elif isinstance(said, dict) and "following" in said:
                self.following, self.unanswered = said["following"], said["unanswered"]
                self.counts = Counter(said["counts"])
                self.by_reached, self.rules = said["by_reached"], set(said["rules"])
                self.flips_by_reached = said["flips_by_reached"]
                self.resumed = True
                end = file.tell()
            elif said is None:
                break
        file.truncate(end)
        file.seek(end)
        if end == 0:
            self._append(_line({"run": self._key, "start": self.start}))

    def _append(self, data: bytes) -> None:
        if self._file is None:
            raise RuntimeError("the journal is not open")
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> BadConfiguration:
        return BadConfiguration(
            f"how far it has come cannot be written down: {error.strerror}",
            where=str(self.path),
            next_step="Make room there, and let this user write to the folder of the ledger",
        )

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def _line(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"
