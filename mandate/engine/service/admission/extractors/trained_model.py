"""TrainedModels of KServe."""

from __future__ import annotations

from .kind import Kind, from_resource

KIND = Kind("serving.kserve.io", "TrainedModel", from_resource("storageUri"))
