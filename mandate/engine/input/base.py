"""What all values of the input document have in common."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Protocol, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, PlainSerializer, StringConstraints


class Frozen(BaseModel):
    """An immutable value that refuses unknown fields and does not convert types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


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
