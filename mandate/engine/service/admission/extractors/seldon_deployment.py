"""SeldonDeployments (Seldon Core 1)."""

from __future__ import annotations

from .kind import Kind, from_resource

KIND = Kind("machinelearning.seldon.io", "SeldonDeployment", from_resource("modelUri", "storageUri"))
