"""Predictions beside the truth, row by row: what fairness and performance are computed from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from .gathering import Sources
from .performance import Rows

if TYPE_CHECKING:
    import numpy
    import pandas
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class EvaluationTables:
    """Where predictions and labels stand, and how to read them. Both have two values."""

    predictions: str
    """Location of the table of predictions."""
    labels: str | None
    """Location of the table of labels; `None` if they stand in the table of predictions."""
    id: str | None
    """Column that names a row, in both tables; `None` if rows are known by their place in the one table."""
    label: str
    prediction: str
    positive: str | int | float | bool
    """The value of label and prediction that counts as positive (selected); everything else is negative."""
    score: str | None = None
    """Column of scores, higher for positive; `None` if they are not needed."""
    attributes: tuple[str, ...] = ()
    """Further columns of either table; where both have one, that of the labels' table counts."""


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """Rows of predictions with their labels, in the order of the predictions' table."""

    rows: Rows
    truth: NDArray[numpy.bool_]
    """Whether the label is positive."""
    predicted: NDArray[numpy.bool_]
    """Whether the prediction is positive."""
    scores: NDArray[numpy.float64] | None
    attributes: pandas.DataFrame
    """The further columns, as read."""
    source: str
    """The locations that were read."""
    sha256: tuple[str, ...]
    """Digests of the files that were read, in the order of `source`."""


class Evaluations(Protocol):
    """Reads an evaluation. Implemented outside the collectors, which do not import each other."""

    def __call__(self, sources: Sources, tables: EvaluationTables) -> Evaluation:
        """`SourceMissing` if a table is not there. `BadInput` if it lacks a column; if an id is null or stands
        twice; if predictions and labels are not about the same rows; if label or prediction have a null or more
        than two values, or never the positive one; if a score is not a finite number."""
