"""Which value of a layered setting holds, for whoever must know it before policies judge.

As `data.mandate.lib.thresholds.of` has it, which judges what became of it: nothing here can allow.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .scope import Scope


def holding(setting: Mapping[str, Any], scope: Scope, *, environment: str, tier: str, model: str) -> Any:
    """The value for the model, else its family, the tier in the environment, the environment, the tier, else
    the default; `None` if there is none, or if the scope does not list the environment."""
    if environment not in scope.environments:
        return None
    tier = tier if tier in scope.risk_tiers else scope.risk_tiers[-1]
    family = next((name for name, models in scope.families.items() if model in models), "")
    of_environment = setting.get("tiers_in_environments", {}).get(environment, {})
    layers = (
        setting.get("models", {}).get(model),
        setting.get("families", {}).get(family),
        of_environment.get(tier),
        setting.get("environments", {}).get(environment),
        setting.get("tiers", {}).get(tier),
        setting.get("default"),
    )
    return next((bound["value"] for bound in layers if bound is not None), None)
