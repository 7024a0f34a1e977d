"""What is stated when somebody approves a model version."""

from __future__ import annotations

from typing import ClassVar, Final

from ...input.base import Name
from .base import AUTHORITY
from .personal import FindingsShown, PersonalPredicate, Words

APPROVAL_TYPE: Final = AUTHORITY + "approval/v1"


class ApprovalPredicate(PersonalPredicate):
    """Consent to one artifact, for what was found of it."""

    TYPE: ClassVar[str] = APPROVAL_TYPE
    ACTION: ClassVar[str] = "approve"

    role: Name
    """In which the person consents."""
    shown: FindingsShown
    reference: Words | None
    """The record of the consent elsewhere, such as a ticket."""
