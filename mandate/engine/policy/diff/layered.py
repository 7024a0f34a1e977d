"""Layered settings out of compiled data: which value holds for which request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..layers import LAYERS, Layer, Name, leaves
from .changes import Name as Shown
from .changes import Words

Leaf = Mapping[str, Any]
"""`{"value": 0.05, "set_at": "thresholds/fairness.yaml:4"}`."""

Setting = Mapping[Layer, Leaf]


def settings(data: Mapping[str, Any], name: Name = ()) -> Iterator[tuple[Name, Setting]]:
    """Each setting below `data.mandate.thresholds` or `data.mandate.selection`, by its name."""
    for key, node in data.items():
        if any(layer in node for layer in LAYERS):
            yield (*name, key), dict(leaves(node))
        else:
            yield from settings(node, (*name, key))


def governing(setting: Setting, environment: str, tier: str, model: str, family: str | None) -> Layer:
    """The layer whose value holds, as `mandate.lib.thresholds` chooses it."""
    candidates: list[Layer] = [
        ("models", model),
        ("families", family or ""),
        ("tiers_in_environments", environment, tier),
        ("environments", environment),
        ("tiers", tier),
    ]
    return next((layer for layer in candidates if layer in setting), ("default",))


def models(setting: Setting) -> Iterator[str]:
    """The models that the setting names."""
    return (layer[1] for layer in setting if layer[0] == "models")


def words(layer: Layer) -> Words:
    """`by default`, `in production`, `for the tier high in production`."""
    match layer:
        case ("environments", environment):
            return ("in ", Shown(environment))
        case ("tiers", tier):
            return ("for the tier ", Shown(tier))
        case ("tiers_in_environments", environment, tier):
            return ("for the tier ", Shown(tier), " in ", Shown(environment))
        case ("families", family):
            return ("for the family ", Shown(family))
        case ("models", model):
            return ("for the model ", Shown(model))
        case _:
            return ("by default",)
