"""What is stated when somebody answers for a violation, for a time."""

# ruff: noqa: N815  (the documents' own spelling)
from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Final

from ...input.base import Name, UtcTime
from ..columns import Kind, Mention
from .base import AUTHORITY
from .personal import FindingsShown, PersonalPredicate, Words

WAIVER_TYPE: Final = AUTHORITY + "waiver/v1"


class WaiverPredicate(PersonalPredicate):
    """A rule that one artifact need not satisfy, for a time."""

    TYPE: ClassVar[str] = WAIVER_TYPE
    ACTION: ClassVar[str] = "waive"

    rule: Name
    """`category.rule`, or `category.rule:term`."""
    effectiveOn: UtcTime
    expires: UtcTime
    """The first instant at which it no longer counts."""
    shown: FindingsShown
    reason: Words
    reference: Words
    """The record of the decision elsewhere, such as a ticket."""

    @property
    def named(self) -> Sequence[Mention]:
        """The rule."""
        return (Mention(Kind.RULE.value, self.rule.partition(":")[0]),)

    def contradictions(self, signed: Mapping[str, Any]) -> Iterator[str]:
        """Where it ends before it begins."""
        if self.expires <= self.effectiveOn:
            yield "the waiver expires before it takes effect"
