"""What is stated when an alias goes back to another version."""

from __future__ import annotations

from typing import ClassVar, Final

from .acts import ActPredicate
from .base import AUTHORITY

ROLLBACK_TYPE: Final = AUTHORITY + "rollback/v1"


class RollbackPredicate(ActPredicate):
    """An alias goes back to a version that is allowed already, or that is allowed now."""

    TYPE: ClassVar[str] = ROLLBACK_TYPE
    ACTION: ClassVar[str] = "rollback"
