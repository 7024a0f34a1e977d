"""Models of Seldon Core 2."""

from __future__ import annotations

from .kind import Kind, from_resource

KIND = Kind("mlops.seldon.io", "Model", from_resource("storageUri"))
