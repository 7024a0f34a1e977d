"""The two pipelines that a recipe can ask for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from ruamel.yaml import YAML
from sklearn import config_context
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from .data import CATEGORIES, FEATURES, NUMBERS, OUTCOME, sensitive_group
from .mitigation import FairVote


@dataclass(frozen=True)
class Recipe:
    """What a recipe file says. Every field is a hyperparameter of the run."""

    mitigation: str
    """`none` or `demographic_parity`."""
    folds: int
    seed: int
    difference_bound: float | None = None
    max_iterations: int | None = None

    @classmethod
    def read(cls, path: Path) -> Recipe:
        """The recipe in a YAML file. `TypeError` for a field that is missing or unknown."""
        return cls(**YAML(typ="safe").load(path))

    @property
    def mitigated(self) -> bool:
        """Whether training is constrained by the sensitive attributes."""
        if self.mitigation not in ("none", "demographic_parity"):
            raise ValueError(f"mitigation is {self.mitigation!r}, neither none nor demographic_parity")
        return self.mitigation == "demographic_parity"


def out_of_fold(recipe: Recipe, table: pd.DataFrame) -> np.ndarray:
    """Each row's probability of approval by a model trained without the row: shape (rows,), 0 … 1."""
    folds = StratifiedKFold(recipe.folds, shuffle=True, random_state=recipe.seed)
    # Each fold has its share of approvals and of each sensitive group: the small ones would else be missed.
    strata = sensitive_group(table) + "/" + table[OUTCOME].astype(str)
    with config_context(enable_metadata_routing=True):
        probabilities = cross_val_predict(
            _pipeline(recipe),
            table[list(FEATURES)],
            table[OUTCOME],
            cv=list(folds.split(table, strata)),
            method="predict_proba",
            params=_constraint(recipe, table),
        )
    approval: np.ndarray = probabilities[:, 1]
    return approval


def trained(recipe: Recipe, table: pd.DataFrame) -> Pipeline:
    """The model that goes into service: trained on all rows, made of scikit-learn's own classes only."""
    with config_context(enable_metadata_routing=True):
        pipeline = _pipeline(recipe).fit(table[list(FEATURES)], table[OUTCOME], **_constraint(recipe, table))
    if not recipe.mitigated:
        return pipeline
    return Pipeline([("prepare", pipeline["prepare"]), ("vote", pipeline["decide"].vote_)])


def _pipeline(recipe: Recipe) -> Pipeline:
    prepare = ColumnTransformer(
        [
            ("numbers", StandardScaler(), list(NUMBERS)),
            ("categories", OneHotEncoder(drop="if_binary", handle_unknown="error"), list(CATEGORIES)),
        ]
    )
    if recipe.mitigated:
        if recipe.difference_bound is None or recipe.max_iterations is None:
            raise ValueError("a recipe with demographic_parity needs difference_bound and max_iterations")
        decide: Any = FairVote(recipe.difference_bound, recipe.max_iterations)
        decide.set_fit_request(sensitive_features=True)
    else:
        decide = LogisticRegression(solver="newton-cholesky")
    return Pipeline([("prepare", prepare), ("decide", decide)])


def _constraint(recipe: Recipe, table: pd.DataFrame) -> dict[str, Any]:
    return {"sensitive_features": sensitive_group(table)} if recipe.mitigated else {}
