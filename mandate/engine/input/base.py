"""What all values of the input document have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import Annotated, Any, Protocol, Self, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, PlainSerializer, StringConstraints

from ..digests import canonical


class Frozen(BaseModel):
    """An immutable value that refuses unknown fields and does not convert types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Digested(Frozen):
    """A value that stands for itself: it is sent, digested and signed as its canonical JSON."""

    @cached_property
    def canonical(self) -> bytes:
        """Its canonical JSON, which is written once. `ValueError` or `RecursionError` if it has none."""
        return canonical(self.model_dump(mode="json"))

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """As Pydantic does it; but the copy of another value has no JSON that it did not write itself."""
        copied = super().model_copy(update=update, deep=deep)
        vars(copied).pop("canonical", None)
        return copied


def _rfc3339(time: datetime) -> str:
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")


UtcTime = Annotated[
    AwareDatetime,
    AfterValidator(lambda time: time.astimezone(UTC)),
    PlainSerializer(_rfc3339, return_type=str, when_used="json"),
]
"""An instant. Read with any UTC offset, kept and written in UTC (RFC 3339, `Z`)."""

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}\z")]
"""A SHA-256 digest: 64 lower-case hexadecimal digits."""

Name = Annotated[str, StringConstraints(min_length=1, max_length=512)]
"""What something is called, 1 to 512 characters; nothing else is assumed of it."""


class _Named(Protocol):
    @property
    def name(self) -> str: ...


_Members = TypeVar("_Members", bound=Sequence[_Named])


def _each_name_once(members: _Members) -> _Members:
    if len({member.name for member in members}) < len(members):
        # Of two with one name, one could be judged and the other one pass unseen.
        raise ValueError("two have the same name")
    return members


EACH_NAME_ONCE = AfterValidator(_each_name_once)
"""Of a tuple of values with names: no name stands twice."""
