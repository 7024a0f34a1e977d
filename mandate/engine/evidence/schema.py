"""The published JSON Schema of a decision's predicate."""

from __future__ import annotations

from typing import Any

from ..input.schema import published
from .predicate import DecisionPredicate


def json_schema() -> dict[str, Any]:
    """The schema of what `https://mandate.dev/attestations/decision/v1` states (JSON Schema 2020-12)."""
    return published("decision", DecisionPredicate.model_json_schema())
