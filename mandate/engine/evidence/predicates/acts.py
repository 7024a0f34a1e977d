"""What is stated of an act on the registry: before it, what is intended, and after it, what became of it.

An intent without a result is an act that was under way when somebody looked, or that was cut off. Two keys
make an act happen once: an intent names the one before it, so that of two who begin at the same time one is
refused; and an intent has one result, whoever writes it.
"""

# ruff: noqa: N815  (the documents' own spelling)
from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from ...digests import document_sha256, sha256
from ...input.base import Frozen, Name, Sha256
from ..columns import Columns, Kind, mentions
from .base import Digest, Predicate, StatementSubject, UuidV7

Words = Annotated[str, Field(min_length=1, max_length=2000)]


class Phase(StrEnum):
    """Before or after the act."""

    INTENT = "intent"
    RESULT = "result"


class ActOutcome(StrEnum):
    """What became of an act."""

    DONE = "done"
    FAILED = "failed"
    """It was tried, and not or not wholly done."""
    ABANDONED = "abandoned"
    """Nothing was changed."""


class VersionStated(Frozen):
    """A version of the model."""

    version: Name
    sha256: Sha256 | None
    """Its artifact's root digest; `null` if neither the registry nor the log could say it."""


class Move(Frozen):
    """An alias that names another version than before; `null` where it names none."""

    alias: Name
    fromVersion: VersionStated | None
    toVersion: VersionStated | None


class ActPredicate(Predicate):
    """An act on one version of a registered model."""

    ACTION: ClassVar[str]
    """What the entry is looked up by."""

    phase: Phase
    registry: Name
    """Its URI, without anything secret."""
    model: Name
    version: VersionStated
    """The version that is promoted, returned to, or retired."""
    moves: tuple[Move, ...]
    """Of an intent, those that shall happen; of a result, those that did."""
    environment: Name | None
    """For which the model was allowed; `null` where no permission is needed."""
    decision: UuidV7 | None
    """The recorded decision that allows it."""
    by: Name
    """Who ran the command, as the system knows them."""
    reason: Words | None
    after: UuidV7 | None
    """Of an intent: the intent before it on this model; `null` if it is the first."""
    intent: UuidV7 | None
    """Of a result: the intent that it ends."""
    outcome: ActOutcome | None
    """Of a result."""
    observed: bool
    """Whether the result is what the registry said later, and not what the act itself came to."""
    error: Words | None

    @model_validator(mode="after")
    def _is_of_its_phase(self) -> Self:
        is_result = self.phase is Phase.RESULT
        if is_result != (self.intent is not None) or is_result != (self.outcome is not None):
            raise ValueError("a result, and nothing else, has an intent and an outcome")
        if is_result and self.after is not None:
            raise ValueError("only an intent comes after another one")
        if not is_result and (self.error is not None or self.observed):
            raise ValueError("an intent has come to nothing yet")
        if (self.outcome is ActOutcome.FAILED) != (self.error is not None):
            raise ValueError("what failed, and nothing else, has an error")
        return self

    @property
    def uri(self) -> str:
        """The version's URI."""
        return uri(self.model, self.version)

    def subjects(self) -> tuple[StatementSubject, ...]:
        """The version that is acted on."""
        return (subject(self.model, self.version),)

    def columns(self) -> Columns:
        """By the version, by how far it came, and by who did it."""
        key = f"result:{self.intent}"
        if self.phase is Phase.INTENT:
            key = f"act:{document_sha256([self.registry, self.model, self.after])}"
        return Columns(
            subject=self.uri,
            model=self.model,
            version=self.version.version,
            sha256=self.version.sha256,
            outcome=self.phase.value if self.outcome is None else self.outcome.value,
            action=self.ACTION,
            environment=self.environment,
            request_key=key,
            mentions=mentions((Kind.PERSON, self.by), *others(self.model, self.moves, self.uri)),
        )


def uri(model: str, version: VersionStated) -> str:
    """The version's URI, as in an input document."""
    return f"models:/{model}/{version.version}"


def subject(model: str, version: VersionStated) -> StatementSubject:
    """The version as what a statement is about; `<uri>#name` where only its name could be digested."""
    name = uri(model, version)
    if version.sha256 is None:
        return StatementSubject(name=f"{name}#name", digest=Digest(sha256=sha256(name.encode())))
    return StatementSubject(name=name, digest=Digest(sha256=version.sha256))


def others(model: str, moves: tuple[Move, ...], but: str) -> list[tuple[Kind, str]]:
    """The other versions that moves of aliases are about, as mentions."""
    ends = [end for move in moves for end in (move.fromVersion, move.toVersion) if end is not None]
    return [(Kind.SUBJECT, uri(model, end)) for end in ends if uri(model, end) != but]
