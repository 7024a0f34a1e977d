"""What can be recorded: one module a kind, each with a predicate type and a published JSON Schema."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType

from .base import AUTHORITY, Predicate

_MODULES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "alias-move/v1": ("alias_move", "AliasMovePredicate"),
        "approval/v1": ("approval", "ApprovalPredicate"),
        "break-glass/v1": ("break_glass", "BreakGlassPredicate"),
        "decision/v1": ("decision", "DecisionPredicate"),
        "export/v1": ("export", "ExportPredicate"),
        "facts/v1": ("facts", "FactsPredicate"),
        "key-revocation/v1": ("key_event", "KeyRevocationPredicate"),
        "key-rotation/v1": ("key_event", "KeyRotationPredicate"),
        "opening/v1": ("opening", "OpeningPredicate"),
        "policy-release/v1": ("policy_release", "PolicyReleasePredicate"),
        "promotion/v1": ("promotion", "PromotionPredicate"),
        "retirement/v1": ("retirement", "RetirementPredicate"),
        "revocation/v1": ("revocation", "RevocationPredicate"),
        "rollback/v1": ("rollback", "RollbackPredicate"),
        "waiver/v1": ("waiver", "WaiverPredicate"),
        "what-if/v1": ("decision", "WhatIfPredicate"),
    }
)
"""Module and class by the type's name. A module is imported when an entry of its kind is met."""

TYPES: frozenset[str] = frozenset(AUTHORITY + name for name in _MODULES)
"""All predicate types that this version knows."""

KEY_EVENT_TYPES = (AUTHORITY + "key-rotation/v1", AUTHORITY + "key-revocation/v1")
"""Those of `key_event`, for who must know whether there is one, and imports its models if there is."""


def known(predicate_type: object) -> type[Predicate] | None:
    """The model of a predicate type; `None` if this version does not know it."""
    if not isinstance(predicate_type, str) or predicate_type not in TYPES:
        return None
    module, name = _MODULES[predicate_type.removeprefix(AUTHORITY)]
    found: type[Predicate] = getattr(import_module(f"{__name__}.{module}"), name)
    return found
