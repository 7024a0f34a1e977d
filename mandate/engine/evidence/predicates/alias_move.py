"""What is stated of an alias that moved by no act of Mandate's: seen later, or let through by a guard."""

# ruff: noqa: N815  (the documents' own spelling)
from __future__ import annotations

from typing import ClassVar, Final, Literal, Self

from pydantic import model_validator

from ...input.base import Name
from ..columns import Columns, Kind, mentions
from .acts import Move, VersionStated, Words, others, subject, uri
from .base import AUTHORITY, Predicate, StatementSubject, UuidV7

ALIAS_MOVE_TYPE: Final = AUTHORITY + "alias-move/v1"


class AliasMovePredicate(Predicate):
    """An alias names another version than the log says it was moved to."""

    TYPE: ClassVar[str] = ALIAS_MOVE_TYPE

    basis: Literal["observed", "guard"]
    """Whether it was found in the registry afterwards, or allowed by whoever guards the registry."""
    registry: Name
    """Its URI, without anything secret."""
    model: Name
    move: Move
    movedBy: Name | None
    """Who moved it; `null` if nobody knows, as where it was found afterwards."""
    decision: UuidV7 | None
    """The recorded decision that allows it."""
    by: Name
    """Who recorded it, as the system knows them."""
    reason: Words | None

    @model_validator(mode="after")
    def _moves(self) -> Self:
        if self.move.toVersion == self.move.fromVersion:
            raise ValueError("nothing moved")
        return self

    @property
    def _version(self) -> VersionStated:
        version = self.move.toVersion or self.move.fromVersion
        assert version is not None  # noqa: S101  (else nothing moved)
        return version

    def subjects(self) -> tuple[StatementSubject, ...]:
        """The version that the alias names now, or named if it names none."""
        return (subject(self.model, self._version),)

    def columns(self) -> Columns:
        """By that version, and by who moved the alias and who recorded it."""
        about = uri(self.model, self._version)
        return Columns(
            subject=about,
            model=self.model,
            version=self._version.version,
            sha256=self._version.sha256,
            outcome=self.basis,
            action="alias-move",
            mentions=mentions(
                (Kind.PERSON, self.by),
                (Kind.PERSON, self.movedBy or ""),
                *others(self.model, (self.move,), about),
            ),
        )
