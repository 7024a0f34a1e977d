"""The applications, and what each of their columns may be used for."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

ID = "application"
"""The row's identity: its line in the source, which has no other."""

NUMBERS = {
    "pirat": "double",
    "hirat": "double",
    "lvrat": "double",
    "chist": "long",
    "mhist": "long",
    "unemp": "double",
}
"""Numeric features, with MLflow's names of their types."""

CATEGORIES = ("phist", "selfemp", "insurance", "condomin", "hschool")
"""Features that are `yes` or `no`."""

FEATURES = (*NUMBERS, *CATEGORIES)
"""What the model sees, in the order of its signature."""

SENSITIVE = ("afam", "single")
"""For auditing, and for the constraint under which version 2 is trained. Never a feature."""

OUTCOME = "approved"
"""1 if the bank approved the application, 0 if it denied it."""


def read(path: Path) -> pd.DataFrame:
    """The applications in a CSV file with the columns of HMDA: `ID`, `OUTCOME`, `FEATURES`, `SENSITIVE`."""
    table = pd.read_csv(path)
    table[OUTCOME] = (table.pop("deny") == "no").astype("int64")
    return table[[ID, OUTCOME, *FEATURES, *SENSITIVE]]


def sensitive_group(table: pd.DataFrame) -> pd.Series[str]:
    """Both sensitive attributes as one, such as `yes/no`: fair to each is not yet fair to both."""
    first, second = SENSITIVE
    return table[first] + "/" + table[second]
