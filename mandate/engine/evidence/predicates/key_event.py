"""What is stated of keys: one took another's place, or one must no longer be believed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Final

from pydantic import Field

from ...input.base import Name
from ..columns import Columns, Kind, mentions
from .base import AUTHORITY, Predicate, StatementSubject
from .key import KeyStated

KEY_ROTATION_TYPE: Final = AUTHORITY + "key-rotation/v1"
KEY_REVOCATION_TYPE: Final = AUTHORITY + "key-revocation/v1"

Words = Annotated[str, Field(min_length=1, max_length=2000)]


class KeyRotationPredicate(Predicate):
    """One of the ledger's keys gave way to another; the one that gives way signs it.

    What the retired key signs after this entry does not count.
    """

    TYPE: ClassVar[str] = KEY_ROTATION_TYPE

    retired: KeyStated
    successor: KeyStated
    by: Name
    """Who ran the command, as the system knows them."""
    reason: Words

    def subjects(self) -> tuple[StatementSubject, ...]:
        """Both keys."""
        return (self.retired.subject, self.successor.subject)

    def columns(self) -> Columns:
        """By both keys, and by who did it."""
        return Columns(
            subject=self.retired.keyid,
            mentions=mentions((Kind.PERSON, self.by), (Kind.SUBJECT, self.successor.keyid)),
        )

    def contradictions(self, signed: Mapping[str, Any]) -> Iterator[str]:
        """Where the keys are not what is stated of them."""
        yield from self.retired.contradictions()
        yield from self.successor.contradictions()
        if self.retired.keyid == self.successor.keyid:
            yield "a key cannot take its own place"


class KeyRevocationPredicate(Predicate):
    """A key must no longer be believed; another key of the ledger's signs it.

    What it signed before stands, by its place in the log; what it signs after this entry does not count.
    """

    TYPE: ClassVar[str] = KEY_REVOCATION_TYPE

    revoked: KeyStated
    successor: KeyStated | None
    """The key that signs from now on, if it was one that signs; `None` if nothing changes but this."""
    by: Name
    """Who ran the command, as the system knows them."""
    reason: Words

    def subjects(self) -> tuple[StatementSubject, ...]:
        """The key, and the one that takes its place."""
        return (self.revoked.subject, *([] if self.successor is None else [self.successor.subject]))

    def columns(self) -> Columns:
        """By the key, and by who did it."""
        named = [(Kind.PERSON, self.by)]
        if self.successor is not None:
            named.append((Kind.SUBJECT, self.successor.keyid))
        return Columns(subject=self.revoked.keyid, mentions=mentions(*named))

    def contradictions(self, signed: Mapping[str, Any]) -> Iterator[str]:
        """Where the key is not what is stated of it."""
        yield from self.revoked.contradictions()
        if self.successor is not None:
            yield from self.successor.contradictions()
            if self.revoked.keyid == self.successor.keyid:
                yield "a key cannot take its own place"
