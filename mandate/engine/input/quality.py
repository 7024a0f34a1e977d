"""Fairness of the predictions, drift of the data, and the data's schema."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from .base import EACH_NAME_ONCE, Frozen, Name
from .figures import Figure, Number
from .performance import Rows
from .registered import Column


class Group(Frozen):
    """The rows that share one value of a sensitive attribute."""

    name: Name
    size: Annotated[int, Field(ge=0)]
    """Rows."""
    metrics: Annotated[tuple[Figure, ...], EACH_NAME_ONCE]
    """`selection_rate`, `true_positive_rate`, `false_positive_rate`, `accuracy`; all in 0 … 1."""


class SensitiveAttribute(Frozen):
    """A sensitive attribute, or an intersection of several."""

    name: Name
    """The column, or the columns joined by ` × `."""
    columns: tuple[Name, ...]
    groups: Annotated[tuple[Group, ...], EACH_NAME_ONCE]
    metrics: Annotated[tuple[Figure, ...], EACH_NAME_ONCE]
    """`demographic_parity_difference`, `demographic_parity_ratio` (the disparate impact ratio),
    `equalized_odds_difference`; all in 0 … 1, as Fairlearn defines them (between groups)."""


class Fairness(Frozen):
    """How the predictions treat groups."""

    rows: Rows
    attributes: Annotated[tuple[SensitiveAttribute, ...], EACH_NAME_ONCE]


class DriftTest(Frozen):
    """Evidently's own verdict on one column."""

    method: Name
    score: Number
    threshold: float
    drifted: bool


class DriftedColumn(Frozen):
    """One column in the reference and in the current data."""

    name: Name
    in_reference: bool
    in_current: bool
    psi: Figure | None
    """Population stability index; `None` if the column is not in both."""
    test: DriftTest | None
    null_rate_reference: Figure | None
    null_rate_current: Figure | None
    null_rate_increase: Figure | None
    """Current minus reference, in -1 … 1; `None` if the column is not in both."""
    new_categories: Annotated[int, Field(ge=0)] = 0
    """How many values the current data have that the reference has not: of categories, and of whole numbers
    with at most 20 values."""


class Drift(Frozen):
    """How the current data differ from the reference."""

    method: Name
    """How the population stability index was computed, in words."""
    reference_rows: Annotated[int, Field(ge=0)]
    current_rows: Annotated[int, Field(ge=0)]
    columns: Annotated[tuple[DriftedColumn, ...], EACH_NAME_ONCE]
    drifted_share: Figure
    """Share of the watched columns that are gone, that Evidently's test calls drifted or that it could not
    test, in 0 … 1."""


class DataColumn(Frozen):
    """A column as it stands in a table."""

    name: Name
    type: Name
    """In MLflow's type names, to be comparable with the signature."""
    nullable: bool
    """Whether any value is null."""


class DataSchema(Frozen):
    """The current batch's columns against the model's signature and the training snapshot."""

    current: Annotated[tuple[DataColumn, ...], EACH_NAME_ONCE]
    signature: tuple[Column, ...] | None
    """The signature's inputs; `None` if the model has none."""
    training: Annotated[tuple[DataColumn, ...], EACH_NAME_ONCE] | None
    """The training snapshot's columns; `None` if there is no snapshot."""
