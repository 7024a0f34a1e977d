"""What is governed of a Kubernetes object: which model it says it runs, and what it pulls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...digests import document_sha256

MODEL = "mandate.dev/model"
DIGEST = "mandate.dev/digest"
BREAK_GLASS = "mandate.dev/break-glass"
ANNOTATIONS = (MODEL, DIGEST, BREAK_GLASS)
NO_MODEL = "none"
"""The value of `mandate.dev/model` that claims that no model runs there."""


class NotUnderstood(Exception):
    """The object does not have the shape of its kind: one clause says where and what."""


@dataclass(frozen=True, slots=True)
class Pull:
    """Something that the object makes the cluster fetch."""

    path: str
    """Where the object says so, such as `spec.containers[0].image`."""
    reference: str
    digest: str | None
    """The SHA-256 that the reference carries, so that nothing else can be fetched."""
    is_model: bool
    """Whether it is a model's location, and not a program that may run beside it."""
    fault: str = ""
    """Why the reference does not say what will be fetched; empty if it does."""


@dataclass(frozen=True, slots=True)
class Said:
    """The annotations of one place: of the object, or of a template of its Pods."""

    path: str
    """Of the annotations, such as `spec.template.metadata.annotations`."""
    values: Mapping[str, str]
    """Those that are governed."""

    @classmethod
    def of(cls, metadata: Any, path: str) -> Said:
        """The annotations in `metadata`, which stands at `path`. `NotUnderstood` if they are no texts."""
        found = _mapping(_mapping(metadata, path).get("annotations"), f"{path}.annotations")
        values = {name: found[name] for name in ANNOTATIONS if name in found}
        for name, value in values.items():
            if not isinstance(value, str):
                raise NotUnderstood(f"{path}.annotations[{name}] is not text")
        return cls(f"{path}.annotations", values)


@dataclass(frozen=True, slots=True)
class Governed:
    """The governed facts of one object. Two objects with equal ones are the same to Mandate."""

    said: tuple[Said, ...]
    """One or more: what each place that counts says. They must agree."""
    pulls: tuple[Pull, ...]
    faults: tuple[str, ...] = ()
    """What else makes it impossible to say what will run."""

    def annotation(self, name: str) -> str | None:
        """What all places say; `None` if none does. `contradictions` says whether they agree."""
        return next((said.values[name] for said in self.said if name in said.values), None)

    def contradictions(self) -> tuple[str, ...]:
        """Where the places do not agree, one clause each."""
        found = []
        for name in ANNOTATIONS:
            for said in self.said[1:]:
                if said.values.get(name) != self.said[0].values.get(name):
                    found.append(f"{said.path}[{name}] is not what {self.said[0].path} says")
        return tuple(found)

    @property
    def sha256(self) -> str:
        """Over what it says and pulls, whatever its kind: a workload and its Pods have the same."""
        said = {name: self.annotation(name) for name in ANNOTATIONS}
        return document_sha256({"said": said, "pulls": sorted({pull.reference for pull in self.pulls})})


def _mapping(value: Any, path: str) -> Mapping[str, Any]:
    """A mapping, empty where there is nothing."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise NotUnderstood(f"{path} is not an object")
    return value
