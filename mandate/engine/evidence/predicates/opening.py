"""What is stated when a ledger is opened: its first entry."""

# ruff: noqa: N815  (the documents' own spelling)
from __future__ import annotations

import hashlib
from typing import ClassVar, Final

from ...input.base import Frozen, Name
from ..columns import Columns, Kind, mentions
from ..public_keys import PublicKey
from .base import AUTHORITY, Digest, Predicate, StatementSubject

OPENING_TYPE: Final = AUTHORITY + "opening/v1"


class KeyStated(Frozen):
    """A public key, in full: who has the entry needs no other file to know it."""

    keyid: str
    """The SSH fingerprint, `SHA256:…`."""
    pem: str
    """PEM `SubjectPublicKeyInfo`."""

    @classmethod
    def of(cls, key: PublicKey) -> KeyStated:
        """The value for a key."""
        return cls(keyid=key.keyid, pem=key.pem.decode("ascii"))

    @property
    def subject(self) -> StatementSubject:
        """The key as what a statement is about: its digest is over the PEM."""
        return StatementSubject(
            name=self.keyid, digest=Digest(sha256=hashlib.sha256(self.pem.encode()).hexdigest())
        )


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
