"""`selection.yaml`: which rules judge, by environment, risk tier and model."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import BadPolicy
from ..nearest import advice
from ..strict_yaml import Document
from .layers import Leaf, Settings
from .scope import Scope

FILE = "selection.yaml"
_LISTS = ("include", "exclude")
_OF_AN_ENVIRONMENT = ("environments", "tiers_in_environments")
_PATTERN = re.compile(r"\*|@(?P<collection>[^:]+)|(?P<rules>[^:@*]+)(?::(?P<term>.+))?", re.DOTALL)


def compile_selection(
    documents: Sequence[Document], scope: Scope, catalogue: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """`data.mandate.selection`. `BadPolicy` if a pattern names what the catalogue does not have.

    Patterns are `*`, `@collection`, `category`, `category.rule`, and either of the last two with `:term`.
    """
    settings = Settings(scope)
    for document in documents:
        values = {} if document.value is None else document.value
        if not isinstance(values, dict):
            raise BadPolicy(
                "it is not a mapping", where=document.where(), next_step="Set include and exclude"
            )
        for name, node in values.items():
            if name not in _LISTS:
                raise BadPolicy(
                    f"nobody reads {name!r}", where=document.where((name,)), next_step=advice(name, _LISTS)
                )
            settings.add(document, (name,), node, (name,))
    for name in _LISTS:
        if (name,) not in settings.leaves:
            raise BadPolicy(f"{name} is missing", where=FILE, next_step=f"Set {name}: {{default: […]}}")
    settings.refuse_without_default()
    names = _names(catalogue)
    for layers in settings.leaves.values():
        for layer, leaf in layers.items():
            _check(leaf, names)
            if layer[0] in _OF_AN_ENVIRONMENT and layer[1] in scope.environments:
                _refuse_idle(leaf, layer[1], catalogue)
    return settings.as_data()


def _refuse_idle(leaf: Leaf, environment: str, catalogue: Mapping[str, Mapping[str, Any]]) -> None:
    """A pattern of which no rule judges in the environment that it is written for does nothing."""
    for pattern in leaf.value if isinstance(leaf.value, list) else ():
        named = pattern.partition(":")[0]
        if not any(
            environment in about["environments"] and named in _names({rule: about}) | {"*"}
            for rule, about in catalogue.items()
        ):
            raise BadPolicy(
                f"{pattern!a} selects nothing: none of its rules judges in {environment}",
                where=leaf.set_at,
                next_step="Remove it, or add the environment to the rules",
            )


def _names(catalogue: Mapping[str, Mapping[str, Any]]) -> frozenset[str]:
    """Rules, their categories, and collections with their `@`."""
    categories = {rule.partition(".")[0] for rule in catalogue}
    collections = {f"@{name}" for entry in catalogue.values() for name in entry["collections"]}
    return frozenset({*catalogue, *categories, *collections})


def _check(leaf: Leaf, names: frozenset[str]) -> None:
    if not isinstance(leaf.value, list):
        raise BadPolicy(
            "it is not a list of patterns", where=leaf.set_at, next_step="Write it as [pattern, …]"
        )
    for pattern in leaf.value:
        match = _PATTERN.fullmatch(pattern) if isinstance(pattern, str) else None
        if match is None:
            raise BadPolicy(
                f"{pattern!a} is not a pattern",
                where=leaf.set_at,
                next_step="Write *, @collection, category, category.rule or category.rule:term",
            )
        named = pattern.partition(":")[0]
        if pattern != "*" and named not in names:
            raise BadPolicy(
                f"there is no rule or collection {named!r}", where=leaf.set_at, next_step=advice(named, names)
            )
