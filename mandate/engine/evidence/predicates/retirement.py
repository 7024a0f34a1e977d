"""What is stated when a model version goes out of service."""

from __future__ import annotations

from typing import ClassVar, Final

from .acts import ActPredicate
from .base import AUTHORITY

RETIREMENT_TYPE: Final = AUTHORITY + "retirement/v1"


class RetirementPredicate(ActPredicate):
    """A version loses its aliases, and the registry says of it that it is retired."""

    TYPE: ClassVar[str] = RETIREMENT_TYPE
    ACTION: ClassVar[str] = "retire"
