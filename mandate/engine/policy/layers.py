"""Layered settings: a default, and what is more specific. Most specific first:

    models                  {credit: 0.04}
    families                {consumer_credit: 0.045}
    tiers_in_environments   {production: {high: 0.05}}
    environments            {staging: 0.10}
    tiers                   {low: 0.10}
    default                 0.05

Several roots merge leaf by leaf: each value that a later root sets replaces that value alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import BadPolicy
from ..nearest import advice, nearest
from ..strict_yaml import Document, Place
from .faults import Faults
from .scope import Scope

LAYERS = ("default", "tiers", "environments", "tiers_in_environments", "families", "models")
"""The least specific first."""

Name = tuple[str, ...]
"""A setting, by its path: `("fairness", "demographic_parity_difference")`."""

Layer = tuple[str, ...]
"""A place in a setting: `("default",)`, `("tiers_in_environments", "production", "high")`."""

Value = str | int | float | bool | list[Any]


@dataclass(frozen=True, slots=True)
class Leaf:
    """One value, and who set it."""

    value: Value
    set_at: str

    def as_data(self) -> dict[str, Any]:
        """`{"value": 0.05, "set_at": "thresholds/fairness.yaml:4"}`."""
        return {"value": self.value, "set_at": self.set_at}


@dataclass
class Settings:
    """Settings while files are read into them, in the order of the roots."""

    scope: Scope
    leaves: dict[Name, dict[Layer, Leaf]] = field(default_factory=dict)
    groups: dict[Name, str] = field(default_factory=dict)
    """Where each group is written first."""
    places: dict[Name, str] = field(default_factory=dict)
    """Where each setting is written first."""

    def add(self, document: Document, name: Name, node: Any, place: Place = ()) -> None:
        """Read the node at `place` of the document, a group or a setting, as `name`."""
        if not isinstance(node, dict):
            raise BadPolicy(
                f"{_dotted(name)} is neither a setting nor a group",
                where=document.where(place),
                next_step=_advice_for_bare_value(name),
            )
        # Of a setting that is known already, a misspelt layer is a layer.
        if any(key in LAYERS or (name in self.leaves and nearest(key, LAYERS)) for key in node):
            self._add_setting(document, name, node, place)
            return
        self._refuse_both(name, self.leaves, document.where(place))
        self.groups.setdefault(name, document.where(place))
        with Faults() as faults:
            for key, below in node.items():
                with faults.kept():
                    self.add(document, (*name, key), below, (*place, key))

    def _add_setting(self, document: Document, name: Name, node: Mapping[str, Any], place: Place) -> None:
        self._refuse_both(name, self.groups, document.where(place))
        self.leaves.setdefault(name, {})
        self.places.setdefault(name, document.where(place))
        with Faults() as faults:
            for layer, below in node.items():
                with faults.kept():
                    self._add_layer(document, name, below, (*place, layer))

    def _add_layer(self, document: Document, name: Name, node: Any, place: Place) -> None:
        layer = str(place[-1])
        if layer not in LAYERS:
            raise BadPolicy(
                f"{_dotted(name)} has the unknown layer {layer!r}",
                where=document.where(place),
                next_step=advice(layer, LAYERS),
            )
        for path, value in self._values(document, layer, node, place):
            where = document.where((*place[:-1], *path))
            if not isinstance(value, str | int | float | bool | list):
                raise BadPolicy(
                    f"{_dotted((*name, *path))} has no value",
                    where=where,
                    next_step="Write a value or remove it",
                )
            self.leaves[name][path] = Leaf(value, where)

    def _values(self, document: Document, layer: str, node: Any, place: Place) -> list[tuple[Layer, Any]]:
        if layer == "default":
            return [((layer,), node)]
        names = self._named(document, layer, node, place)
        if layer != "tiers_in_environments":
            return [((layer, name), value) for name, value in names.items()]
        return [
            ((layer, environment, tier), value)
            for environment, tiers in names.items()
            for tier, value in self._named(document, "tiers", tiers, (*place, environment)).items()
        ]

    def _named(self, document: Document, layer: str, node: Any, place: Place) -> Mapping[str, Any]:
        """The values of a layer by name; the names of all but models are those of the scope."""
        if not isinstance(node, dict):
            raise BadPolicy(
                f"{layer} is not a mapping",
                where=document.where(place),
                next_step="Write it as {name: value}",
            )
        if layer == "models":
            return node
        what, known = {
            "tiers": ("risk tier", self.scope.risk_tiers),
            "families": ("family of models", tuple(self.scope.families)),
        }.get(layer, ("environment", self.scope.environments))
        for name in node:
            if name not in known and name not in self.scope.former:
                raise BadPolicy(
                    f"there is no {what} {name!r}",
                    where=document.where((*place, name)),
                    next_step=advice(name, known),
                )
        return node

    def _refuse_both(self, name: Name, others: Mapping[Name, Any], where: str) -> None:
        if name in others:
            raise BadPolicy(
                f"{_dotted(name)} is a setting in one place and a group of settings in another",
                where=where,
                next_step="Give one of them another name",
            )

    def refuse_without_default(self) -> None:
        """A setting needs a value for whatever is not named in it."""
        with Faults() as faults:
            for name, layers in self.leaves.items():
                if ("default",) not in layers:
                    faults.add(
                        f"{_dotted(name)} has no default", where=self.places[name], next_step="Add default"
                    )

    def as_data(self) -> dict[str, Any]:
        """The settings as nested JSON, groups that are empty included."""
        data: dict[str, Any] = {}
        for name in self.groups:
            _below(data, name)
        for name, layers in self.leaves.items():
            for layer, leaf in layers.items():
                _below(data, (*name, *layer[:-1]))[layer[-1]] = leaf.as_data()
        return data


def leaves(setting: Mapping[str, Any], layer: Layer = ()) -> Iterator[tuple[Layer, Mapping[str, Any]]]:
    """Each value of a compiled setting, as `Leaf.as_data` has it, with its layer.

    A model may bear any name, that of a leaf's key too: a leaf is what says as text where it was set.
    """
    for name, below in setting.items():
        if isinstance(below.get("set_at"), str):
            yield (*layer, name), below
        else:
            yield from leaves(below, (*layer, name))


def _below(data: dict[str, Any], path: Name) -> dict[str, Any]:
    for part in path:
        data = data.setdefault(part, {})
    return data


def _dotted(name: Name) -> str:
    return ascii(".".join(name))[1:-1]


def _advice_for_bare_value(name: Name) -> str:
    for part in reversed(name[1:]):
        if (layer := nearest(part, LAYERS)) is not None:
            return f"Write {layer}"
    return "Write it as {default: value}"
