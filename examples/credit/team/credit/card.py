"""The model card: what the model is for, what it is not for, and how it did."""

from __future__ import annotations

import textwrap
from datetime import datetime

import pandas as pd

from .data import FEATURES, SENSITIVE
from .evaluation import LABEL, PREDICTION
from .model import Recipe

_TEMPLATE = """\
# Model card: credit

## Model details

{model_sentence} Owner: Mortgage Analytics, retail bank. Author of this version: {author}. Questions and
complaints: model-owner@bank.example.

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

## Evaluation data

The same applications. Each is predicted by a model that was trained without it ({folds} folds, seed {seed});
the model in service is trained on all of them.

## Metrics

| metric | value |
|---|---|
| accuracy | {accuracy:.4f} |
| accuracy of approving everybody | {approved:.4f} |
| balanced accuracy | {balanced_accuracy:.4f} |
| area under the ROC curve | {roc_auc:.4f} |
| share of the denials that the model finds | {recall_of_denials:.4f} |

## Fairness

Approval rates by group, on the same out-of-fold predictions:

| group | applications | approved by the bank | approved by the model |
|---|---|---|---|
{groups}

The largest difference between two groups' approval rates is {difference_afam:.4f} by `afam`,
{difference_single:.4f} by `single` and {difference_both:.4f} by both together; the smallest ratio is
{smallest_ratio:.4f}.

## Ethical considerations

The banks of 1990 denied African-American applicants {denial_ratio:.1f} times as often as others.
{ethics_sentence} Equal approval rates do not mean equal error rates.

## Caveats and recommendations

The applications are from one year and one city: prices, incomes and law were different. {caveat_sentence}
Watch the inputs for drift, and retrain before the market of the training data is gone.
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
        details = "Several logistic regressions, whose probabilities are averaged with weights."
        training = (
            "In training they are the constraint: the regressions are combined so that the groups are "
            "approved at near the same rate."
        )
        ethics = "This version was trained to approve the groups at near the same rate."
        caveat = (
            "Equal rates have a price: this version finds fewer of the applications that banks denied than "
            "version 1, and is only a little more accurate than approving everybody."
        )
    else:
        details = "One logistic regression."
        training = "Nothing was done about the differences between groups in the banks' decisions."
        ethics = "This version learns from them: other columns carry what it is not shown."
        caveat = "It repeats the banks' decisions, with the differences between groups that they had."
    filled = _TEMPLATE.format(
        rows=len(table),
        as_of=as_of,
        data_sha256=data_sha256,
        approved=predictions[LABEL].mean(),
        feature_count=len(FEATURES),
        features=_listed(FEATURES),
        sensitive=_listed(SENSITIVE),
        model_sentence=details,
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
        denial_ratio=_denial_ratio(predictions),
        ethics_sentence=ethics,
        caveat_sentence=caveat,
        author=author,
    )
    return "\n\n".join(map(_wrapped, filled.rstrip().split("\n\n"))) + "\n"


def _wrapped(block: str) -> str:
    """The paragraph in lines of readable length; headings and tables as they are."""
    return block if block.startswith(("#", "|")) else textwrap.fill(block, 110, break_long_words=False)


def _denial_ratio(predictions: pd.DataFrame) -> float:
    """How many times as often the banks denied applicants with `afam` as those without."""
    denied = 1 - predictions.groupby("afam")[LABEL].mean()
    return float(denied["yes"] / denied["no"])


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
