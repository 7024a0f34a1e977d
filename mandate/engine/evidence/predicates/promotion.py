"""What is stated when a model version is promoted: an alias is moved to it."""

from __future__ import annotations

from typing import ClassVar, Final

from .acts import ActPredicate
from .base import AUTHORITY

PROMOTION_TYPE: Final = AUTHORITY + "promotion/v1"


class PromotionPredicate(ActPredicate):
    """A version was allowed, and an alias moves to it."""

    TYPE: ClassVar[str] = PROMOTION_TYPE
    ACTION: ClassVar[str] = "promote"
