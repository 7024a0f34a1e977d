"""What an entry of the ledger is looked up by.

All of it stands in the envelope as well, which is what counts: verification holds the two against each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a mention names."""

    RULE = "rule"
    """A rule of which something did not pass, or that a waiver is for."""
    CONTROL = "control"
    """A control that such a rule serves."""
    PERSON = "person"
    """Who asked, made, approved, waived or acted."""
    SUBJECT = "subject"
    """Another model version, or key, that an entry is about."""


@dataclass(frozen=True, slots=True, order=True)
class Mention:
    """Something of which an entry can name any number."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Columns:
    """An entry's columns; `None` where the entry says nothing of the kind."""

    subject: str
    """The URI of what it is about: a model version, the ledger, a key, a policy revision."""
    model: str | None = None
    """The registered model's name."""
    version: str | None = None
    sha256: str | None = None
    """The artifact's root digest."""
    outcome: str | None = None
    """A decision's outcome, or the phase of an act."""
    action: str | None = None
    environment: str | None = None
    revision: str | None = None
    """Of the policies that judged, or that it is about."""
    request_key: str | None = None
    """By which the caller can ask again without being judged twice."""
    mentions: tuple[Mention, ...] = ()
    """Sorted, each once."""


def mentions(*named: tuple[Kind, str]) -> tuple[Mention, ...]:
    """The mentions of these, sorted, each once; blank names are left out."""
    return tuple(sorted({Mention(kind.value, name) for kind, name in named if name}))


def release_key(revision: str, release: tuple[int, str] | None) -> str:
    """The request key of a policy release: one for a revision, and one for each number and key it is signed
    with."""
    signed = "" if release is None else f":{release[0]}:{release[1]}"
    return f"policy-release:{revision}{signed}"
