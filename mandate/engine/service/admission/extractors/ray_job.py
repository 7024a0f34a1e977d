"""RayJobs: a cluster, and the runtime environment that is downloaded into it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..governed import Governed, NotUnderstood
from .kind import Kind
from .ray_cluster import of_cluster
from .ray_service import with_fetched


def _extract(found: Mapping[str, Any]) -> Governed:
    spec = found.get("spec")
    if isinstance(spec, dict) and spec.get("clusterSelector") is not None:
        raise NotUnderstood("spec.clusterSelector names a cluster that is not in this object")
    governed = of_cluster(found, "spec", "rayClusterSpec")
    return with_fetched(governed, found["spec"].get("runtimeEnvYAML"), "spec.runtimeEnvYAML")


KIND = Kind("ray.io", "RayJob", _extract)
