"""Finds what a specification pulls, however deep it stands.

Custom resources nest Pod specifications in ever new places. A list of places would miss the one that the next
version adds, so everything is walked, and what looks like a reference counts as one.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from typing import Any

from . import references
from .governed import Pull

_STORAGE = "STORAGE_URI"
_INITIALIZER = "storage-initializer"
"""The container by which KServe fetches models into a Pod: by arguments, a location and a folder each."""


def pulls(value: Any, path: str, locations: Set[str] = frozenset()) -> Iterator[Pull]:
    """What the value at `path` pulls: images, `STORAGE_URI`, and what fields named in `locations` say."""
    if isinstance(value, list):
        for number, each in enumerate(value):
            yield from pulls(each, f"{path}[{number}]", locations)
    elif isinstance(value, dict):
        if value.get("name") == _INITIALIZER and isinstance(value.get("args"), list):
            yield from _arguments(value["args"], f"{path}.args")
        for name, each in value.items():
            yield from _member(name, each, f"{path}.{name}", locations)


def _member(name: str, value: Any, path: str, locations: Set[str]) -> Iterator[Pull]:
    if name in locations:
        yield from _locations(value, path, locations)
    elif name == "image" and not isinstance(value, dict):
        yield references.image(value, path)
    elif name == "volumes" and isinstance(value, list):
        yield from _volumes(value, path)
    elif name == "env" and isinstance(value, list):
        yield from _environment(value, path)
    else:
        yield from pulls(value, path, locations)


def _locations(value: Any, path: str, locations: Set[str]) -> Iterator[Pull]:
    """A location, a list of them, or objects that hold some."""
    if isinstance(value, list):
        for number, each in enumerate(value):
            yield from _locations(each, f"{path}[{number}]", locations)
    elif isinstance(value, dict):
        inside = list(pulls(value, path, locations | {"uri", "path"}))
        yield from inside or [references.location(None, path)]
    elif value is not None:
        yield references.location(value, path)


def _volumes(volumes: list[Any], path: str) -> Iterator[Pull]:
    """Images that are mounted. Other fields named `image` in volumes are block devices, and pull nothing."""
    for number, volume in enumerate(volumes):
        if isinstance(volume, dict) and volume.get("image") is not None:
            at = f"{path}[{number}].image"
            image = volume["image"]
            reference = image.get("reference") if isinstance(image, dict) else None
            yield references.image(reference, f"{at}.reference")


def _arguments(arguments: list[Any], path: str) -> Iterator[Pull]:
    for number in range(0, len(arguments), 2):
        yield references.location(arguments[number], f"{path}[{number}]")


def _environment(variables: list[Any], path: str) -> Iterator[Pull]:
    for number, variable in enumerate(variables):
        if isinstance(variable, dict) and variable.get("name") == _STORAGE:
            yield references.location(variable.get("value"), f"{path}[{number}].value")
