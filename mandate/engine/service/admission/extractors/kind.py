"""What an extractor is: it knows one kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .. import walking
from ..governed import Governed, NotUnderstood, Said


@dataclass(frozen=True, slots=True)
class Kind:
    """A governed kind of object, in whichever version of its API."""

    group: str
    """Its API's group; empty for the core one."""
    name: str
    extract: Callable[[Mapping[str, Any]], Governed]
    """The governed facts of an object of this kind. `NotUnderstood` if it does not have the kind's shape."""
    is_pod: bool = False
    """Whether it is what runs, and not what makes Pods: then the decision was made before."""


def member(value: Any, *path: str) -> tuple[Any, str]:
    """The value at a path of names, and the path as text. `NotUnderstood` if it is not there."""
    at = ""
    for name in path:
        at = f"{at}.{name}" if at else name
        value = value.get(name) if isinstance(value, dict) else None
    if value is None:
        raise NotUnderstood(f"{at} is missing")
    return value, at


def from_template(*path: str) -> Callable[[Mapping[str, Any]], Governed]:
    """Extracts from the one template of Pods that stands at `path`: its annotations are the Pods' own."""

    def extract(found: Mapping[str, Any]) -> Governed:
        template, at = member(found, *path)
        spec, spec_at = member(found, *path, "spec")
        said = Said.of(member({"t": template}, "t")[0].get("metadata"), f"{at}.metadata")
        return Governed((said,), tuple(walking.pulls(spec, spec_at)))

    return extract


def from_resource(*locations: str) -> Callable[[Mapping[str, Any]], Governed]:
    """Extracts from the whole specification of a custom resource; `locations`: fields that name a model's
    files."""

    def extract(found: Mapping[str, Any]) -> Governed:
        spec, at = member(found, "spec")
        said = Said.of(found.get("metadata"), "metadata")
        return Governed((said,), tuple(walking.pulls(spec, at, frozenset(locations))))

    return extract
