"""The predictions table that the model is judged on, and the figures that the team reports."""

from __future__ import annotations

import numpy as np
import pandas as pd
from fairlearn.metrics import demographic_parity_difference, demographic_parity_ratio
from sklearn.metrics import accuracy_score, balanced_accuracy_score, recall_score, roc_auc_score

from .data import ID, OUTCOME, SENSITIVE, sensitive_group

LABEL, PREDICTION, SCORE = "label", "prediction", "score"

_APPROVED_ABOVE = 0.5
"""As scikit-learn's classifiers decide."""


def predictions_table(table: pd.DataFrame, approval: np.ndarray) -> pd.DataFrame:
    """One row an application: id, label, prediction (1 approve), score (probability), sensitive attributes.

    Nothing else: whoever audits needs no incomes.
    """
    return pd.DataFrame(
        {
            ID: table[ID],
            LABEL: table[OUTCOME],
            PREDICTION: (approval > _APPROVED_ABOVE).astype("int64"),
            SCORE: approval,
            **{name: table[name] for name in SENSITIVE},
        }
    )


def reported_metrics(predictions: pd.DataFrame) -> dict[str, float]:
    """What the team logs and writes in the model card, on out-of-fold predictions. All are in 0 … 1."""
    label, prediction = predictions[LABEL], predictions[PREDICTION]
    metrics = {
        "accuracy": accuracy_score(label, prediction),
        "balanced_accuracy": balanced_accuracy_score(label, prediction),
        "roc_auc": roc_auc_score(label, predictions[SCORE]),
        "recall_of_denials": recall_score(label, prediction, pos_label=0),
        "approval_rate": prediction.mean(),
    }
    groups = {name: predictions[name] for name in SENSITIVE}
    groups["_and_".join(SENSITIVE)] = sensitive_group(predictions)
    for name, group in groups.items():
        rows = {"y_true": label, "y_pred": prediction, "sensitive_features": group}
        metrics[f"demographic_parity_difference_{name}"] = demographic_parity_difference(**rows)
        metrics[f"demographic_parity_ratio_{name}"] = demographic_parity_ratio(**rows)
    return {name: float(value) for name, value in metrics.items()}
