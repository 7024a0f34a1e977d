"""What all predicates have in common, and the in-toto Statement that carries one.

Format: in-toto Statement v1 (https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md). Each
predicate has a type of its own, `https://mandate.dev/attestations/<name>/v<number>`, and a JSON Schema that
is published as `schemas/<name>.v<number>.json`. A change of shape is a new version. Names are spelt as in
in-toto; inside `decision` and `input`, as those documents spell.
"""

# ruff: noqa: N815  (the documents' own spelling)
from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Final, Generic, Literal, Self, TypeVar

from pydantic import ConfigDict, Field, PlainSerializer, model_validator

from ...digests import canonical
from ...input.base import Frozen, Sha256, UtcTime
from ..columns import Columns

STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
AUTHORITY: Final = "https://mandate.dev/attestations/"


def rfc3339_milliseconds(time: datetime) -> str:
    """The instant in UTC with three decimals: of one width, so that the text sorts as the time does."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


RecordedAt = Annotated[UtcTime, PlainSerializer(rfc3339_milliseconds, return_type=str, when_used="json")]

UuidV7 = Annotated[
    str, Field(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\z")
]
"""RFC 9562, version 7, in lower case."""


class MandateUsed(Frozen):
    """Which Mandate recorded."""

    version: str


class LedgerUsed(Frozen):
    """Where it was recorded: an envelope of one ledger is out of place in another."""

    origin: str


class Digest(Frozen):
    """An in-toto DigestSet with the one algorithm that Mandate uses."""

    sha256: Sha256


class StatementSubject(Frozen):
    """What the statement is about."""

    name: str
    """A URI: of a model version, a ledger, a key, a policy revision."""
    digest: Digest


class Predicate(Frozen):
    """What is recorded, in the words of its kind."""

    TYPE: ClassVar[str]
    """The predicate's type, a URI that ends with its version."""
    PERSONAL: ClassVar[bool] = False
    """Whether a person signs it, and not the ledger's key."""

    id: UuidV7
    """Of the entry; it begins with `recordedAt`."""
    recordedAt: RecordedAt
    mandate: MandateUsed
    ledger: LedgerUsed

    @property
    def signer(self) -> tuple[str, str] | None:
        """Of what a person signs: who, and the revision of the policies that say which keys are theirs."""
        return None

    def subjects(self) -> tuple[StatementSubject, ...]:
        """What the statement is about: one or more."""
        raise NotImplementedError

    def columns(self) -> Columns:
        """What the entry is looked up by."""
        raise NotImplementedError

    def members(self) -> dict[str, bytes]:
        """Its members by name, as canonical JSON. `ValueError` for what JSON cannot say."""
        return members(self)

    def contradictions(self, signed: Mapping[str, Any]) -> Iterator[str]:
        """Where the predicate disagrees with itself; `signed` is its JSON as it was signed."""
        yield from ()


P = TypeVar("P", bound=Predicate)


def members(value: Frozen, *without: str) -> dict[str, bytes]:
    """The members of a value by name, as canonical JSON, `without` some. `ValueError` for what JSON cannot
    say."""
    written = value.model_dump(mode="json", exclude=set(without))
    return {name: canonical(member) for name, member in written.items()}


class Statement(Frozen, Generic[P]):
    """An in-toto Statement v1 with a predicate of Mandate's."""

    model_config = ConfigDict(serialize_by_alias=True)

    type_: Annotated[Literal["https://in-toto.io/Statement/v1"], Field(alias="_type")] = STATEMENT_TYPE
    subject: Annotated[tuple[StatementSubject, ...], Field(min_length=1)]
    predicateType: str
    predicate: P

    @model_validator(mode="after")
    def _is_of_its_type(self) -> Self:
        if self.predicateType != self.predicate.TYPE:
            raise ValueError("the predicate is not of the statement's predicate type")
        return self
