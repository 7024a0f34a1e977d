"""What is stated when policies begin to decide."""

# ruff: noqa: N815  (the documents' own spelling)
from __future__ import annotations

from typing import Annotated, ClassVar, Final

from pydantic import Field

from ...input.base import Frozen, Name, Sha256
from ..columns import Columns, Kind, mentions, release_key
from .base import AUTHORITY, Digest, Predicate, StatementSubject

POLICY_RELEASE_TYPE: Final = AUTHORITY + "policy-release/v1"


class SignedRelease(Frozen):
    """The release of the policies, where they are released under a signature."""

    number: Annotated[int, Field(ge=0)]
    keyid: str
    """Of the key that signed the bundle."""


class PolicyReleasePredicate(Predicate):
    """These policies begin to decide. It is stated once for a revision, and once for each release of one."""

    TYPE: ClassVar[str] = POLICY_RELEASE_TYPE

    revision: Name
    """Digest of the policies' sources."""
    bundleSha256: Sha256
    """Of the bundle that OPA loads."""
    release: SignedRelease | None
    by: Name
    """Who asked for that decision, as the system knows them."""

    def subjects(self) -> tuple[StatementSubject, ...]:
        """The revision, by the digest of its bundle."""
        return (StatementSubject(name=self.revision, digest=Digest(sha256=self.bundleSha256)),)

    def columns(self) -> Columns:
        """By the revision."""
        return Columns(
            subject=self.revision,
            revision=self.revision,
            request_key=release_key(
                self.revision, None if self.release is None else (self.release.number, self.release.keyid)
            ),
            mentions=mentions((Kind.PERSON, self.by)),
        )
