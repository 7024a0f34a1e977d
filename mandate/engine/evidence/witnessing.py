"""A witness of somebody else's log: it signs a head only if that grew from the last one that it signed.

1. The head is signed by a key of the log.
2. The proof begins at the last head that was signed, or at the empty log.
3. The proof leads from there to the head.
4. The head is kept, durably.
5. Only then is the signature given away.

One file is the witness's memory of one log. Whoever loses it must not witness that log under the same name
again: the witness could sign two heads of which neither grew from the other.
"""

from __future__ import annotations

import fcntl
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .. import durably
from ..errors import BadConfiguration, BadInput, BadRequest, NotRecorded
from .keys import Signer
from .log import checkpoint, cosignature, merkle, note
from .log.checkpoint import Checkpoint
from .log.cosignature import WitnessKey
from .log.note import NoteKey
from .log.witness import Request

_LOCK = ".lock"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a witness answers."""

    head: Checkpoint
    line: bytes
    """The signature line, to stand below the head."""


@dataclass(frozen=True, slots=True)
class Witness:
    """Who witnesses one log."""

    name: str
    signer: Signer
    log: Collection[NoteKey]
    """The keys of the log, all of one name."""
    memory: Path
    """The file with the last head that was signed."""

    @property
    def key(self) -> WitnessKey:
        """By what the signatures are verified."""
        return WitnessKey.of(self.name, self.signer.public_key)

    def answer(self, request: Request, time: int) -> Answer:
        """Sign the head, at `time` in seconds since 1970.

        `BadInput` if the log did not sign the head, `BadRequest` if the proof begins elsewhere, `NotRecorded`
        if the log did not grow, `BadConfiguration` if the memory cannot be used.
        """
        head = checkpoint.read(request.checkpoint, self.log)  # 1
        with self._alone():
            last = self._last(head.origin)
            if (request.old, request.proof) == (0, ()) and head == last:
                request = Request(last.size, (), request.checkpoint)  # the same head once more
            if request.old != last.size:  # 2
                raise BadRequest(
                    f"the proof begins at {request.old} entries, and the last signed head has {last.size}",
                    where=str(self.memory),
                    next_step="Ask for a proof since the head in this file, `ledger checkpoint --since`",
                )
            if not merkle.verify_consistency(last.size, last.root, head.size, head.root, request.proof):  # 3
                raise NotRecorded(
                    f"the head of {head.size} entries does not go on from the {last.size} that were signed",
                    where=str(self.memory),
                    next_step="Keep both heads: the log was forked or rewritten, or the proof is another's",
                )
            signed = cosignature.add(note.parse(request.checkpoint), self.name, self.signer, time)
            self._keep(signed.to_bytes())  # 4
        return Answer(head, signed.signatures[-1].line.encode())  # 5

    def _last(self, origin: str) -> Checkpoint:
        """The last head that was signed: its own signature on it is what makes it that."""
        try:
            data = self.memory.read_bytes()
        except FileNotFoundError:
            return Checkpoint(origin, 0, merkle.EMPTY_ROOT)
        except OSError as error:
            raise self._unusable(f"cannot be read: {error.strerror}") from error
        try:
            last = checkpoint.accept(data, self.log, [self.key], required=1).checkpoint
        except BadInput as error:
            raise self._unusable(f"is not a head that this witness signed: {error.what}") from error
        if last.origin != origin:
            raise self._unusable(f"is of another log, {last.origin[:100]!a}")
        return last

    def _keep(self, head: bytes) -> None:
        try:
            durably.write(self.memory, head)
        except OSError as error:
            raise self._unusable(f"cannot be written: {error.strerror}") from error

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Of two who ask at once, the second finds what the first one left."""
        try:
            lock = self.memory.with_name(f"{self.memory.name}{_LOCK}").open("wb")
        except OSError as error:
            raise self._unusable(f"cannot be locked: {error.strerror}") from error
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _unusable(self, why: str) -> BadConfiguration:
        return BadConfiguration(
            f"the witness's memory {why}",
            where=str(self.memory),
            next_step="Restore it; without it, this witness must not sign heads of the log any more",
        )
