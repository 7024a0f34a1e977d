"""The model card: what the model is for, what it is not for, and how it did."""

from __future__ import annotations

from datetime import datetime

import pandas as pd

from .data import FEATURES, SENSITIVE
from .evaluation import LABEL, PREDICTION
from .model import Recipe

_TEMPLATE = """\
# Model card: credit

## Intended use

Gives a loan officer a first opinion on a mortgage application: approve, or look closer. It is used before the
decision of a person, and never instead of it. Users are the loan officers of the retail bank.

## Out-of-scope use

No decision without a person. No pricing, no limits, no marketing, no applications from businesses. No
markets other than the one that the training data come from.

## Training data

{rows:,} mortgage applications made in Boston in 1990, as reported under the Home Mortgage Disclosure Act and
published by the Federal Reserve Bank of Boston. The snapshot was taken at {as_of:%Y-%m-%d %H:%M} UTC; its
SHA-256 is `{data_sha256}`. {approved:.1%} of the applications were approved. The label is what banks decided
then, not whether a loan was repaid.

The model sees {feature_count} columns: {features}. It does not see {sensitive}. {training_sentence}

## Evaluation

Each application is predicted by a model that was trained without it ({folds} folds, seed {seed}); the model
in service is trained on all of them.

| metric | value |
|---|---|
| accuracy | {accuracy:.4f} |
| accuracy of approving everybody | {approved:.4f} |
| balanced accuracy | {balanced_accuracy:.4f} |
| area under the ROC curve | {roc_auc:.4f} |
| denials that the model finds | {recall_of_denials:.4f} |

## Fairness

Approval rates by group, on the same out-of-fold predictions:

| group | applications | approved by the bank | approved by the model |
|---|---|---|---|
{groups}

The largest difference between two groups' approval rates is {difference_afam:.4f} by `afam`,
{difference_single:.4f} by `single` and {difference_both:.4f} by both together; the smallest ratio is
{smallest_ratio:.4f}. {fairness_sentence}

## Limitations

The applications are from 1990 and from one city: prices, incomes and law were different. Equal approval rates
do not mean equal error rates. {limitation_sentence}

## Owner and contact

Owner: Mortgage Analytics, retail bank. Author of this version: {author}. Questions and complaints:
model-owner@bank.example.
"""


def written(
    recipe: Recipe,
    table: pd.DataFrame,
    predictions: pd.DataFrame,
    metrics: dict[str, float],
    *,
    data_sha256: str,
    as_of: datetime,
    author: str,
) -> str:
    """The card as Markdown, with the figures of this run."""
    both = "_and_".join(SENSITIVE)
    if recipe.mitigated:
        training = (
            "In training they are the constraint: several logistic regressions are combined so that the groups are "
            "approved at near the same rate."
        )
        fairness = "The constraint of training was demographic parity over both attributes together."
        limitation = (
            "The price of equal rates is paid in recall: this model finds fewer of the applications that banks "
            "denied than version 1, and is only a little more accurate than approving everybody."
        )
    else:
        training = "Nothing was done about the differences between groups in the banks' decisions."
        fairness = "Other columns carry what the model is not shown."
        limitation = "The model repeats the banks' decisions, with the differences between groups that they had."
    return _TEMPLATE.format(
        rows=len(table),
        as_of=as_of,
        data_sha256=data_sha256,
        approved=predictions[LABEL].mean(),
        feature_count=len(FEATURES),
        features=_listed(FEATURES),
        sensitive=_listed(SENSITIVE),
        training_sentence=training,
        folds=recipe.folds,
        seed=recipe.seed,
        accuracy=metrics["accuracy"],
        balanced_accuracy=metrics["balanced_accuracy"],
        roc_auc=metrics["roc_auc"],
        recall_of_denials=metrics["recall_of_denials"],
        groups="\n".join(_group_rows(predictions)),
        difference_afam=metrics["demographic_parity_difference_afam"],
        difference_single=metrics["demographic_parity_difference_single"],
        difference_both=metrics[f"demographic_parity_difference_{both}"],
        smallest_ratio=min(value for name, value in metrics.items() if "parity_ratio" in name),
        fairness_sentence=fairness,
        limitation_sentence=limitation,
        author=author,
    )


def _listed(columns: tuple[str, ...]) -> str:
    return ", ".join(f"`{column}`" for column in columns)


def _group_rows(predictions: pd.DataFrame) -> list[str]:
    by_group = predictions.groupby(list(SENSITIVE))[[LABEL, PREDICTION]]
    sizes, rates = by_group.size(), by_group.mean()
    return [
        f"| {', '.join(f'{name}: {value}' for name, value in zip(SENSITIVE, group, strict=True))} "
        f"| {sizes[group]:,} | {rates.loc[group, LABEL]:.1%} | {rates.loc[group, PREDICTION]:.1%} |"
        for group in rates.index
    ]
