"""RayServices: a cluster, and in `serveConfigV2` the code that it fetches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from .... import strict_yaml
from ....errors import BadInput
from .. import walking
from ..governed import Governed, NotUnderstood
from .kind import Kind
from .ray_cluster import of_cluster

_FETCHED = frozenset({"working_dir", "py_modules", "image_uri"})
"""Fields of a runtime environment that are downloaded."""


def _extract(found: Mapping[str, Any]) -> Governed:
    governed = of_cluster(found, "spec", "rayClusterConfig")
    said = found["spec"].get("serveConfigV2")
    if said is None:
        return governed
    at = "spec.serveConfigV2"
    try:
        if not isinstance(said, str):
            raise NotUnderstood(f"{at} is not text")
        served = strict_yaml.load(said.encode(), BadInput, name=at).value
    except (BadInput, UnicodeEncodeError) as error:
        raise NotUnderstood(f"{at} cannot be read") from error
    return replace(governed, pulls=(*governed.pulls, *walking.pulls(served, at, _FETCHED)))


KIND = Kind("ray.io", "RayService", _extract)
