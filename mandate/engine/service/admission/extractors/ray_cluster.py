"""RayClusters: a head and groups of workers, each with a template of Pods of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import walking
from ..governed import Governed, NotUnderstood, Said
from .kind import Kind, member


def of_cluster(found: Mapping[str, Any], *path: str) -> Governed:
    """The governed facts of the cluster's specification at `path`."""
    cluster, at = member(found, *path)
    head, head_at = member(found, *path, "headGroupSpec", "template")
    templates = [(head, head_at)]
    groups = cluster.get("workerGroupSpecs") or []
    if not isinstance(groups, list):
        raise NotUnderstood(f"{at}.workerGroupSpecs is not a list")
    for number, group in enumerate(groups):
        template, _ = member(group, "template")
        templates.append((template, f"{at}.workerGroupSpecs[{number}].template"))
    for template, place in templates:
        if not isinstance(template, dict):
            raise NotUnderstood(f"{place} is not an object")
    said = tuple(Said.of(template.get("metadata"), f"{place}.metadata") for template, place in templates)
    return Governed(said, tuple(walking.pulls(cluster, at)))


KIND = Kind("ray.io", "RayCluster", lambda found: of_cluster(found, "spec"))
