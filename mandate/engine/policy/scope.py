"""`scope.yaml`: the environments and risk tiers that a request may name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import BadPolicy
from ..nearest import advice
from ..strict_yaml import Document

FILE = "scope.yaml"
_NAMES = ("environments", "risk_tiers")


@dataclass(frozen=True, slots=True)
class Scope:
    """What requests may name."""

    environments: tuple[str, ...]
    risk_tiers: tuple[str, ...]
    """From lowest to highest."""

    def as_data(self) -> dict[str, Any]:
        """`data.mandate.scope`."""
        return {"environments": list(self.environments), "risk_tiers": list(self.risk_tiers)}

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> Scope:
        """From `data.mandate.scope`."""
        return cls(tuple(data["environments"]), tuple(data["risk_tiers"]))


def compile_scope(documents: Sequence[Document]) -> Scope:
    """The scope of all roots, in order: a later file replaces a whole list. `BadPolicy` if it is wrong."""
    lists: dict[str, tuple[str, ...]] = {}
    for document in documents:
        values = {} if document.value is None else document.value
        if not isinstance(values, dict):
            raise BadPolicy(
                "it is not a mapping", where=document.where(), next_step=f"Set {' and '.join(_NAMES)}"
            )
        for name, value in values.items():
            if name not in _NAMES:
                raise BadPolicy(
                    f"nobody reads {name!r}", where=document.where((name,)), next_step=advice(name, _NAMES)
                )
            lists[name] = _names(value, document, name)
    for name in _NAMES:
        if name not in lists:
            raise BadPolicy(f"{name} is missing", where=FILE, next_step=f"List the {name.replace('_', ' ')}")
    return Scope(lists["environments"], lists["risk_tiers"])


def _names(value: Any, document: Document, name: str) -> tuple[str, ...]:
    where = document.where((name,))
    if not isinstance(value, list) or not value:
        raise BadPolicy(f"{name} is not a list of names", where=where, next_step="List at least one name")
    for index, item in enumerate(value):
        if not isinstance(item, str) or not item:
            raise BadPolicy(
                f"{name} has an item that is not a name",
                where=document.where((name, index)),
                next_step="Correct it",
            )
        if item in value[:index]:
            raise BadPolicy(
                f"{name} names {item!r} twice",
                where=document.where((name, index)),
                next_step="Remove one of them",
            )
    return tuple(value)
