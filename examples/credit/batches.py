"""The world outside the example: which applications came when, and what a recession would bring.

The data have no date and no order (data/README.md), so arrival is made up, in the open: every fifth
application counts as one that arrived after the team had taken its training snapshot.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

_EVERY = 5
_RECESSION_ROWS = 600
_SEED = 1990


def applications(hmda: Path) -> pd.DataFrame:
    """All rows of `hmda.csv`, each with its line there as its identity, `application`."""
    table = pd.read_csv(hmda)
    table.insert(0, "application", range(2, len(table) + 2))
    return table


def before_the_snapshot(table: pd.DataFrame) -> pd.DataFrame:
    """The four fifths that the team trains from."""
    return table.drop(index=after_the_snapshot(table).index)


def after_the_snapshot(table: pd.DataFrame) -> pd.DataFrame:
    """Every fifth application. No model has seen it, and nothing about it has changed."""
    return table.iloc[::_EVERY]


def recession(table: pd.DataFrame) -> pd.DataFrame:
    """600 applications as in a recession: industries without work, payments that eat the income.

    Real rows, drawn with replacement, whole, from all of them. A row's weight is (unemployment in the
    applicant's industry × payments/income)², the latter counted up to 1. No value of a row is altered.
    """
    weight = (table["unemp"] * table["pirat"].clip(upper=1)) ** 2
    return table.sample(_RECESSION_ROWS, replace=True, weights=weight, random_state=_SEED)


def as_served(table: pd.DataFrame) -> pd.DataFrame:
    """What the serving system records of a batch: the model's inputs, no outcome, nothing sensitive."""
    return table.drop(columns=["application", "deny", "afam", "single"]).reset_index(drop=True)
