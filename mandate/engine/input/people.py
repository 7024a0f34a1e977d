"""Who made the model, who approved it, and who waived a rule."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from .base import Frozen, Name, Sha256, UtcTime


def normal(identity: str) -> str:
    """An identity as it is compared: trimmed, case-folded. May be empty."""
    return identity.strip().casefold()


class Certificate(Frozen):
    """A training certificate of a developer."""

    title: Name
    issuer: Name
    accredited: bool
    """Whether the directory lists the issuer as accredited."""
    topics: tuple[Name, ...]
    issued: UtcTime
    expires: UtcTime
    """The first instant at which it no longer counts."""


class Developer(Frozen):
    """An author of the model."""

    name: Name
    """The identity by which the source knows the author, such as a mail address."""
    known: bool
    """Whether the directory knows this identity."""
    evidence: tuple[Name, ...]
    """Why this is an author: `run user`, `git author`, `git committer`."""
    identities: tuple[Name, ...] = ()
    """Every identity of this person that the directory lists, `name` among them: an approval by any of them
    is one by this author. Compared as `normal` says."""
    roles: tuple[Name, ...] = ()
    certificates: tuple[Certificate, ...] = ()


class Approval(Frozen):
    """Somebody's consent to one artifact."""

    approver: Name
    role: Name
    subject_sha256: Sha256
    """Root digest of the artifact that was approved."""
    approved_at: UtcTime
    reference: str = ""


class Waiver(Frozen):
    """A violation that somebody answers for, for a time."""

    id: Name
    rule: Name
    """`category.rule`, or `category.rule:term`."""
    subject_sha256: Sha256
    approver: Name
    reason: Annotated[str, Field(min_length=1)]
    reference: Annotated[str, Field(min_length=1)]
    effective_on: UtcTime
    expires: UtcTime
