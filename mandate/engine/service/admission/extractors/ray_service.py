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


def with_fetched(governed: Governed, said: Any, at: str) -> Governed:
    """The governed facts with what the YAML `said` at the path `at` makes Ray download."""
    if said is None:
        return governed
    try:
        if not isinstance(said, str):
            raise NotUnderstood(f"{at} is not text")
        environment = strict_yaml.load(said.encode(), BadInput, name=at).value
    except (BadInput, UnicodeEncodeError) as error:
        raise NotUnderstood(f"{at} cannot be read") from error
    return replace(governed, pulls=(*governed.pulls, *walking.pulls(environment, at, _FETCHED)))


def _extract(found: Mapping[str, Any]) -> Governed:
    governed = of_cluster(found, "spec", "rayClusterConfig")
    return with_fetched(governed, found["spec"].get("serveConfigV2"), "spec.serveConfigV2")


KIND = Kind("ray.io", "RayService", _extract)
