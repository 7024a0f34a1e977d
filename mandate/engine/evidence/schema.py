"""The published JSON Schemas of the predicates."""

from __future__ import annotations

from typing import Any

from ..input.schema import published
from . import predicates
from .predicates.base import AUTHORITY


def json_schema(predicate_type: str) -> dict[str, Any]:
    """The schema of what a predicate type states (JSON Schema 2020-12). `ValueError` if it is unknown."""
    kind = predicates.known(predicate_type)
    if kind is None:
        raise ValueError(f"{predicate_type} is no predicate type of Mandate's")
    name = predicate_type.removeprefix(AUTHORITY).partition("/")[0]
    return published(name, kind.model_json_schema())
