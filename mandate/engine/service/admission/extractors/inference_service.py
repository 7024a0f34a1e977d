"""InferenceServices of KServe: predictor, transformer, explainer, canaries, and containers within."""

from __future__ import annotations

from .kind import Kind, from_resource

KIND = Kind("serving.kserve.io", "InferenceService", from_resource("storageUri", "storageUris", "storage"))
