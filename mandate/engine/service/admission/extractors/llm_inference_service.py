"""LLMInferenceServices of KServe: the model, its adapters, and containers within."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..governed import Governed
from .kind import Kind, from_resource

_of_resource = from_resource("uri")


def extract(found: Mapping[str, Any]) -> Governed:
    """The governed facts. What a base configuration adds is not in the object, and may change."""
    governed = _of_resource(found)
    if not found["spec"].get("baseRefs"):
        return governed
    return replace(
        governed,
        faults=("spec.baseRefs: what they add is not in this object, and may change; write it out here",),
    )


KIND = Kind("serving.kserve.io", "LLMInferenceService", extract)
