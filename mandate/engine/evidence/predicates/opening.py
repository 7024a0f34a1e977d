"""What is stated when a ledger is opened: its first entry."""

# ruff: noqa: N815  (the documents' own spelling)
from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Final

from ...input.base import Name
from ..columns import Columns, Kind, mentions
from .base import AUTHORITY, Predicate, StatementSubject
from .key import KeyStated

OPENING_TYPE: Final = AUTHORITY + "opening/v1"


class OpeningPredicate(Predicate):
    """A ledger was opened, under this key."""

    TYPE: ClassVar[str] = OPENING_TYPE

    openedBy: Name
    key: KeyStated

    def subjects(self) -> tuple[StatementSubject, ...]:
        """The key that signs what follows."""
        return (self.key.subject,)

    def columns(self) -> Columns:
        """By the ledger, and who opened it."""
        return Columns(subject=self.ledger.origin, mentions=mentions((Kind.PERSON, self.openedBy)))

    def contradictions(self, signed: Mapping[str, Any]) -> Iterator[str]:
        """Where the key is not what is stated of it."""
        yield from self.key.contradictions()
