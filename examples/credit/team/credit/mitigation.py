"""A classifier that approves groups at near the same rate, without seeing which group an applicant is in."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pandas as pd
from fairlearn.reductions import DemographicParity, ExponentiatedGradient
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression


class FairVote(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Fairlearn's exponentiated gradient under demographic parity, made into one deterministic vote.

    The reduction (Agarwal et al., "A Reductions Approach to Fair Classification", ICML 2018) yields several
    classifiers and weights, and decides each application by drawing one of them. A bank cannot draw lots over
    a mortgage: the same application must have the same answer. So the classifiers' probabilities are
    averaged by the weights. The reduction's guarantee is for the lottery; what the vote does is measured.

    Only the classifiers and weights are kept. The reduction itself would carry every training row, with its
    sensitive attributes, into the model's artifact.
    """

    def __init__(self, difference_bound: float = 0.01, max_iter: int = 50) -> None:
        self.difference_bound = difference_bound
        """How far a group's approval rate may be from the overall one in training, 0 … 1."""
        self.max_iter = max_iter

    def fit(self, X: np.ndarray, y: pd.Series[int], *, sensitive_features: pd.Series[str]) -> Self:  # noqa: N803
        """Learn from `X` (rows × features) and `y` (1 approve, 0 deny), constrained by the rows' groups."""
        reduction = ExponentiatedGradient(
            LogisticRegression(solver="newton-cholesky"),
            DemographicParity(difference_bound=self.difference_bound),
            eps=self.difference_bound,
            max_iter=self.max_iter,
        )
        reduction.fit(X, y, sensitive_features=sensitive_features)
        chosen = [
            (f"classifier_{place}", FrozenEstimator(classifier), float(weight))
            for place, (classifier, weight) in enumerate(
                zip(reduction.predictors_, reduction.weights_, strict=True)
            )
            if weight > 0
        ]
        vote = VotingClassifier(
            [(name, classifier) for name, classifier, _ in chosen],
            voting="soft",
            weights=[weight for *_, weight in chosen],
        )
        # Nothing is learnt here, the classifiers are frozen: it takes over the classes.
        self.vote_ = vote.fit(X, y)
        self.classes_ = self.vote_.classes_
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:  # noqa: N803
        """Probability of denial and of approval: rows × 2, each row's sum is 1."""
        probabilities: np.ndarray = self.vote_.predict_proba(X)
        return probabilities

    def predict(self, X: np.ndarray) -> np.ndarray:  # noqa: N803
        """1 approve, 0 deny."""
        predictions: np.ndarray = self.vote_.predict(X)
        return predictions

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags
