"""Who made the model, who approved it, and who waived a rule."""

from __future__ import annotations

import re
from typing import Annotated, Any
from unicodedata import normalize

from pydantic import Field

from .base import Frozen, Name, Sha256, UtcTime

_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""Unicode's `Default_Ignorable_Code_Point`: what a reader does not see."""


def normal(identity: str) -> str:
    """An identity as it is compared, so that two spellings that look the same are one. May be empty.

    Trimmed, case-folded, in the form NFKC and without invisible characters (Unicode's NFKC_Casefold). Letters
    of other alphabets that merely look alike stay different.
    """
    before = None
    while identity != before:  # each step can make something that another one has to undo
        before = identity
        identity = normalize("NFKC", _INVISIBLE.sub("", identity).casefold()).strip()
    return identity


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


class ShownFinding(Frozen):
    """What an approver was shown of one term of one rule; see `mandate.engine.decision.Finding`."""

    rule: Name
    term: Name
    level: str
    outcome: str
    measured: Any
    comparison: str
    bound: Any


class Approval(Frozen):
    """Somebody's consent to one artifact."""

    approver: Name
    role: Name
    subject_sha256: Sha256
    """Root digest of the artifact that was approved."""
    approved_at: UtcTime
    reference: str = ""
    entry: Name | None = None
    """The id of the entry of the log in which it is signed; `None` if nobody signed it."""
    index: Annotated[int, Field(ge=0)] | None = None
    """The entry's place in the log."""
    keyid: Name | None = None
    """The key that signed it, by whose public key that was verified."""
    decision: Name | None = None
    """The recorded decision whose findings the approver was shown."""
    shown: tuple[ShownFinding, ...] = ()
    """These findings."""
    revoked_by: Name | None = None
    """The entry that revoked it, in words."""


class Waiver(Frozen):
    """A violation that somebody answers for, for a time."""

    id: Name
    """Of the entry of the log in which it is signed."""
    rule: Name
    """`category.rule`, or `category.rule:term`."""
    subject_sha256: Sha256
    approver: Name
    reason: Annotated[str, Field(min_length=1)]
    reference: Annotated[str, Field(min_length=1)]
    effective_on: UtcTime
    expires: UtcTime
    index: Annotated[int, Field(ge=0)] | None = None
    """The entry's place in the log."""
    keyid: Name | None = None
    """The key that signed it, by whose public key that was verified."""
    revoked_by: Name | None = None
    """The entry that revoked it, in words."""
