"""Predictions beside the truth, row by row: what fairness and performance are computed from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Protocol, Self

from pydantic import AllowInfNan, model_validator

from .base import Frozen, Name
from .gathering import Sources
from .performance import Rows

if TYPE_CHECKING:
    import numpy
    import pandas
    from numpy.typing import NDArray


class EvaluationTables(Frozen):
    """Where predictions and labels of a binary outcome stand, and how to read them."""

    predictions: Name
    """Location of the table of predictions."""
    labels: Name | None = None
    """Location of the table of labels; `None` if they stand in the table of predictions."""
    id: Name | None = None
    """Column that names a row, in both tables; `None` if rows are known by their place in the one table."""
    label: Name
    """Column of the true outcome."""
    prediction: Name
    """Column of the predicted outcome."""
    positive: str | bool | int | Annotated[float, AllowInfNan(False)]
    """The value of label and prediction that counts as positive (selected); the other one is negative."""

    @model_validator(mode="after")
    def _rows_can_be_told_apart(self) -> Self:
        if self.labels not in (None, self.predictions) and self.id is None:
            raise ValueError("id is needed where labels are another table: it says which row is which")
        return self


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """Rows of predictions with their labels, in the order of the predictions' table."""

    rows: Rows
    truth: NDArray[numpy.bool_]
    """Whether the label is positive."""
    predicted: NDArray[numpy.bool_]
    """Whether the prediction is positive."""
    scores: NDArray[numpy.float64] | None
    """Higher for positive; `None` if they were not asked for."""
    attributes: pandas.DataFrame
    """The further columns that were asked for, as read."""
    source: str
    """The locations that were read."""
    sha256: tuple[str, ...]
    """Digests of the files that were read, in the order of `source`."""


class Evaluations(Protocol):
    """Reads an evaluation. Implemented outside the collectors, which do not import each other."""

    def __call__(
        self,
        sources: Sources,
        tables: EvaluationTables,
        *,
        score: str | None = None,
        attributes: Sequence[str] = (),
    ) -> Evaluation:
        """With the column of scores and the further columns that are named. Those may stand in either table;
        where both have one, that of the labels' table counts.

        `SourceMissing` if a table is not there. `BadInput` if it lacks a column; if an id is null or stands
        twice; if predictions and labels are not about the same rows; if label or prediction have a null or
        more than two values, or never the positive one; if a score is not a finite number.
        """
