"""What is stated of keys: one took another's place, or one must no longer be believed."""

# ruff: noqa: N815  (the documents' own spelling)
from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Final

from pydantic import Field

from ...input.base import Frozen
from ..columns import Columns, Kind, mentions
from ..public_keys import PublicKey
from .base import AUTHORITY, Digest, Predicate, StatementSubject

KEY_ROTATION_TYPE: Final = AUTHORITY + "key-rotation/v1"
KEY_REVOCATION_TYPE: Final = AUTHORITY + "key-revocation/v1"
KEY_EVENT_TYPES: Final = (KEY_ROTATION_TYPE, KEY_REVOCATION_TYPE)

KeyId = Annotated[str, Field(pattern=r"^SHA256:[A-Za-z0-9+/]{43}\z")]
"""A key's SSH fingerprint."""
Words = Annotated[str, Field(min_length=1, max_length=2000)]


class NamedKey(Frozen):
    """A public key."""

    keyid: KeyId
    publicKey: Annotated[str, Field(max_length=1000)]
    """As SSH writes it, `<type> <base64>`: its fingerprint is `keyid`."""

    @classmethod
    def of(cls, key: PublicKey) -> NamedKey:
        """The value for a key."""
        return cls(keyid=key.keyid, publicKey=key.ssh)

    @property
    def subject(self) -> StatementSubject:
        """The key as what a statement is about: its fingerprint is a digest."""
        return _subject(self.keyid)

    def contradictions(self) -> Iterator[str]:
        """Whether the two fields are of one key."""
        try:
            key = PublicKey.from_ssh(self.publicKey)
        except ValueError:
            yield f"the public key of {self.keyid} cannot be read"
        else:
            if NamedKey.of(key) != self:
                yield f"the public key that is stated is not {self.keyid}"


class KeyRotationPredicate(Predicate):
    """One of the ledger's keys gave way to another; the one that gives way signs it.

    What the retired key signs after this entry does not count.
    """

    TYPE: ClassVar[str] = KEY_ROTATION_TYPE

    retired: NamedKey
    successor: NamedKey
    by: Words
    """Who ran the command, as the system knows them."""
    reason: Words

    def subjects(self) -> tuple[StatementSubject, ...]:
        """Both keys."""
        return (self.retired.subject, self.successor.subject)

    def columns(self) -> Columns:
        """By both keys, and by who did it."""
        return Columns(
            subject=self.retired.subject.name,
            mentions=mentions((Kind.PERSON, self.by), (Kind.SUBJECT, self.successor.subject.name)),
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

    revoked: KeyId
    by: Words
    """Who ran the command, as the system knows them."""
    reason: Words

    def subjects(self) -> tuple[StatementSubject, ...]:
        """The key."""
        return (_subject(self.revoked),)

    def columns(self) -> Columns:
        """By the key, and by who did it."""
        return Columns(subject=_subject(self.revoked).name, mentions=mentions((Kind.PERSON, self.by)))


def _subject(keyid: str) -> StatementSubject:
    digest = base64.b64decode(keyid.removeprefix("SHA256:") + "=")
    return StatementSubject(name=f"key:{keyid}", digest=Digest(sha256=digest.hex()))
