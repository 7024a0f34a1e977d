"""What is stated when somebody takes back an approval or a waiver, or withdraws an allow that stands."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar, Final

from ...input.base import Frozen
from .base import AUTHORITY, UuidV7
from .personal import PersonalPredicate, Words

REVOCATION_TYPE: Final = AUTHORITY + "revocation/v1"


class Revocable(StrEnum):
    """What can be revoked."""

    APPROVAL = "approval"
    WAIVER = "waiver"
    DECISION = "decision"
    """An allow: it stands no longer."""


class Revoked(Frozen):
    """The entry that is revoked."""

    entry: UuidV7
    kind: Revocable


class RevocationPredicate(PersonalPredicate):
    """An entry that no longer counts from here on."""

    TYPE: ClassVar[str] = REVOCATION_TYPE
    ACTION: ClassVar[str] = "revoke"

    revoked: Revoked
    reason: Words
