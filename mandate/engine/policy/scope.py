"""`scope.yaml`: the environments and risk tiers that a request may name, and the families of models.

environments: [staging, production]
risk_tiers: [low, high]
families: {consumer_credit: [credit, mortgage]}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..errors import BadPolicy
from ..nearest import advice
from ..strict_yaml import Document, Place

FILE = "scope.yaml"
_LISTS = ("environments", "risk_tiers")
_FAMILIES = "families"
_NAMES = (*_LISTS, _FAMILIES)


@dataclass(frozen=True, slots=True)
class Scope:
    """What requests may name."""

    environments: tuple[str, ...]
    risk_tiers: tuple[str, ...]
    """From lowest to highest."""
    families: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The models of each family, by name. A model is of one family at most."""
    former: frozenset[str] = frozenset()
    """Environments and risk tiers of an earlier root that a later one does not have. Nobody can ask for them,
    but the earlier root may still name them."""

    def as_data(self) -> dict[str, Any]:
        """`data.mandate.scope`, in which `families` has the family of each model."""
        return {
            "environments": list(self.environments),
            "risk_tiers": list(self.risk_tiers),
            "families": {model: family for family, models in self.families.items() for model in models},
        }

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> Scope:
        """From `data.mandate.scope`."""
        families: dict[str, tuple[str, ...]] = {}
        for model, family in data["families"].items():
            families[family] = (*families.get(family, ()), model)
        return cls(tuple(data["environments"]), tuple(data["risk_tiers"]), families)


def compile_scope(documents: Sequence[Document]) -> Scope:
    """The scope of all roots, in order: a later file replaces a whole list. `BadPolicy` if it is wrong."""
    lists: dict[str, tuple[str, ...]] = {}
    families: dict[str, tuple[str, ...]] = {}
    named: set[str] = set()
    for document in documents:
        values = {} if document.value is None else document.value
        if not isinstance(values, dict):
            raise BadPolicy(
                "it is not a mapping", where=document.where(), next_step=f"Set {' and '.join(_LISTS)}"
            )
        for name, value in values.items():
            if name not in _NAMES:
                raise BadPolicy(
                    f"nobody reads {name!r}", where=document.where((name,)), next_step=advice(name, _NAMES)
                )
            if name == _FAMILIES:
                families |= _families(value, document)
            else:
                lists[name] = _names(value, document, (name,))
                named.update(lists[name])
            _refuse_two_families(families, document)
    for name in _LISTS:
        if name not in lists:
            raise BadPolicy(f"{name} is missing", where=FILE, next_step=f"List the {name.replace('_', ' ')}")
    former = named.difference(*lists.values())
    return Scope(lists["environments"], lists["risk_tiers"], families, frozenset(former))


def _families(value: Any, document: Document) -> dict[str, tuple[str, ...]]:
    if not isinstance(value, dict):
        raise BadPolicy(
            "families is not a mapping",
            where=document.where((_FAMILIES,)),
            next_step="Write it as {family: [model, …]}",
        )
    return {family: _names(models, document, (_FAMILIES, family)) for family, models in value.items()}


def _refuse_two_families(families: Mapping[str, Sequence[str]], document: Document) -> None:
    first: dict[str, str] = {}
    for family, models in families.items():
        for model in models:
            if first.setdefault(model, family) != family:
                raise BadPolicy(
                    f"the model {model!a} is of two families, {first[model]!a} and {family!a}",
                    where=document.where((_FAMILIES, family)),
                    next_step="Leave it in one of them",
                )


def _names(value: Any, document: Document, place: Place) -> tuple[str, ...]:
    name = ".".join(map(str, place))
    if not isinstance(value, list) or not value:
        raise BadPolicy(
            f"{name} is not a list of names", where=document.where(place), next_step="List at least one name"
        )
    for index, item in enumerate(value):
        if not isinstance(item, str) or not item:
            raise BadPolicy(
                f"{name} has an item that is not a name",
                where=document.where((*place, index)),
                next_step="Correct it",
            )
        if item in value[:index]:
            raise BadPolicy(
                f"{name} names {item!r} twice",
                where=document.where((*place, index)),
                next_step="Remove one of them",
            )
    return tuple(value)
