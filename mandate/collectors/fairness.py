"""How the predictions treat groups, by Fairlearn.

What cannot be computed is `NaN`, never a number that Fairlearn or scikit-learn would put in its place: the
true positive rate of a group without a positive, the ratio of two rates of 0, a difference where there is one
group only. Groups are those that occur; rows without a value are a group of their own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import Field, model_validator

from mandate.engine.errors import BadInput
from mandate.engine.input import intervals
from mandate.engine.input.base import Name
from mandate.engine.input.evaluation import Evaluation, Evaluations, EvaluationTables
from mandate.engine.input.figures import Figure, Interval, Origin
from mandate.engine.input.gathering import Gathered, Sources, Target, digest_of
from mandate.engine.input.intervals import Proportion
from mandate.engine.input.quality import Fairness, Group, SensitiveAttribute

if TYPE_CHECKING:
    import numpy
    import pandas
    from numpy.typing import NDArray

MISSING = "(missing)"
"""The group of the rows without a value."""
EMPTY = "(empty)"
"""The group of the rows whose value is the empty text."""
JOINT = " × "
"""Between the columns of an intersection, and between the values of its groups."""
MOST_GROUPS = 200
"""A column with more values is no attribute that forms groups, and its values may identify persons."""
_LONGEST_NAME = 512


class Options(EvaluationTables):
    """`collectors.fairness` in `mandate.yaml`."""

    sensitive: Annotated[list[Name], Field(min_length=1)]
    """Columns of sensitive attributes, in either table."""
    intersections: list[Annotated[list[Name], Field(min_length=2)]] = Field(default_factory=list)
    """Lists of columns whose combined values form groups."""

    @model_validator(mode="after")
    def _each_attribute_once(self) -> Self:
        for columns in (self.sensitive, *self.intersections):
            if len(set(columns)) < len(columns):
                raise ValueError("a column is named twice in sensitive or in an intersection")
        names = [*self.sensitive, *map(JOINT.join, self.intersections)]
        if len(set(names)) < len(names):
            raise ValueError("an intersection is named twice, or like a column")
        return self


class FairnessCollector:
    """Collects the section `fairness`."""

    name = "fairness"

    def __init__(self, options: Options, sources: Sources, evaluations: Evaluations) -> None:
        self._options = options
        self._sources = sources
        self._evaluations = evaluations

    def collect(self, target: Target) -> Gathered:
        """The figures of each attribute and intersection. `BadInput` also if a column has over 200 values."""
        attributes = [tuple(columns) for columns in self._options.intersections]
        attributes = [*((name,) for name in self._options.sensitive), *attributes]
        columns = list(dict.fromkeys(column for names in attributes for column in names))
        evaluation = self._evaluations(self._sources, self._options, attributes=columns)
        section = Fairness(
            rows=evaluation.rows, attributes=tuple(_attribute(names, evaluation) for names in attributes)
        )
        return Gathered({"fairness": section}, evaluation.source, digest_of(*evaluation.sha256))


def _attribute(columns: tuple[str, ...], evaluation: Evaluation) -> SensitiveAttribute:
    name = JOINT.join(columns)
    if len(name) > _LONGEST_NAME:
        raise BadInput(
            "the names of an intersection's columns are too long together",
            where=evaluation.source,
            next_step="Name fewer columns in collectors.fairness.intersections",
        )
    membership = _membership(columns, evaluation)
    groups = _groups(membership, evaluation)
    return SensitiveAttribute(
        name=name,
        columns=columns,
        groups=tuple(group for group, _ in groups),
        metrics=_between(groups, membership, evaluation),
    )


def _membership(columns: tuple[str, ...], evaluation: Evaluation) -> list[str]:
    """The name of each row's group."""
    named = (_named(evaluation.attributes[column], evaluation.source) for column in columns)
    values = list(zip(*named, strict=True))
    name_of = {value: JOINT.join(value) for value in set(values)}
    title = repr(JOINT.join(columns))
    if len(name_of) > MOST_GROUPS:
        raise BadInput(
            f"{title} has {len(name_of)} different values, which are too many groups",
            where=evaluation.source,
            next_step="Name a column of groups, such as an age range for an age",
        )
    if len(set(name_of.values())) < len(name_of):
        raise BadInput(
            f"two groups of {title} would have the same name",
            where=evaluation.source,
            next_step=f"Spell the values without {JOINT.strip()}",
        )
    if max(map(len, name_of.values())) > _LONGEST_NAME:
        raise BadInput(
            f"a value of {title} is too long to name a group",
            where=evaluation.source,
            next_step="Name a column of groups",
        )
    return [name_of[value] for value in values]


def _named(column: pandas.Series[Any], source: str) -> list[str]:
    """The values as text, where what has no text of its own has a name of ours."""
    missing = column.isna().to_numpy()
    values = [MISSING if null else _text(value) for null, value in zip(missing, column.tolist(), strict=True)]
    empty = sum(1 for value in column if isinstance(value, str) and not value)
    ours = {MISSING: int(missing.sum()), EMPTY: empty}
    for name, rows in ours.items():
        if rows and values.count(name) > rows:
            raise BadInput(
                f"the column {column.name!r} has the value {name}, which names other rows",
                where=source,
                next_step="Spell the value otherwise",
            )
    return values


def _text(value: Any) -> str:
    """A whole number is the same text in a column of floats, which a null elsewhere makes of integers."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) or EMPTY


def _groups(membership: list[str], evaluation: Evaluation) -> list[tuple[Group, dict[str, Proportion]]]:
    """Each group with the proportions that its metrics are, by name of the group."""
    from fairlearn.metrics import count

    frame = _frame({"count": count, "positives": _positives, **_rates()}, membership, evaluation)
    groups = []
    for name, row in frame.by_group.sort_index().iterrows():
        size, positives = int(row["count"]), int(row["positives"])
        rows_of = {"true_positive_rate": positives, "false_positive_rate": size - positives}
        proportions, figures = {}, []
        for metric in _rates():
            rate, rows = float(row[metric]), rows_of.get(metric, size)
            # A rate is a quotient of whole numbers: this only undoes the division.
            proportions[metric] = Proportion(0 if math.isnan(rate) else round(rate * rows), rows)
            figures.append(_figure(metric, rate, rows, intervals.of_rate(proportions[metric])))
        groups.append((Group(name=str(name), size=size, metrics=tuple(figures)), proportions))
    return groups


def _between(
    groups: Sequence[tuple[Group, dict[str, Proportion]]], membership: list[str], evaluation: Evaluation
) -> tuple[Figure, ...]:
    """The disparities between the groups with the highest and the lowest rate."""
    frame = _frame(_rates(), membership, evaluation)
    difference, ratio = frame.difference(method="between_groups"), frame.ratio(method="between_groups")
    rows = len(membership)
    values = dict.fromkeys(
        ("demographic_parity_difference", "demographic_parity_ratio", "equalized_odds_difference"), math.nan
    )
    ranges: dict[str, Interval] = {}
    if len(groups) > 1:
        low, high = _extremes(groups, "selection_rate")
        values["demographic_parity_difference"] = float(difference["selection_rate"])
        ranges["demographic_parity_difference"] = intervals.of_difference(high, low)
        if high.count:
            values["demographic_parity_ratio"] = float(ratio["selection_rate"])
            ranges["demographic_parity_ratio"] = intervals.of_ratio(low, high)
        odds = ("true_positive_rate", "false_positive_rate")
        if all(proportions[metric].size for _, proportions in groups for metric in odds):
            worst = max(odds, key=lambda metric: float(difference[metric]))
            low, high = _extremes(groups, worst)
            values["equalized_odds_difference"] = float(difference[worst])
            ranges["equalized_odds_difference"] = intervals.of_difference(high, low)
    return tuple(_figure(name, value, rows, ranges.get(name)) for name, value in values.items())


def _extremes(
    groups: Sequence[tuple[Group, dict[str, Proportion]]], metric: str
) -> tuple[Proportion, Proportion]:
    """The lowest and the highest; of equal ones the first by name."""
    proportions = [proportions[metric] for _, proportions in groups]
    return min(proportions, key=lambda one: one.rate), max(proportions, key=lambda one: one.rate)


def _frame(metrics: dict[str, Any], membership: list[str], evaluation: Evaluation) -> Any:
    from fairlearn.metrics import MetricFrame

    return MetricFrame(
        metrics=metrics,
        y_true=evaluation.truth.astype(int),
        y_pred=evaluation.predicted.astype(int),
        sensitive_features=membership,
    )


def _rates() -> dict[str, Any]:
    """What a group's metrics are, by Fairlearn and scikit-learn."""
    from fairlearn.metrics import false_positive_rate, selection_rate, true_positive_rate
    from sklearn.metrics import accuracy_score

    def of_positives(truth: NDArray[numpy.int_], predicted: NDArray[numpy.int_]) -> float:
        # Fairlearn says 0 where no row is positive.
        return float(true_positive_rate(truth, predicted, pos_label=1)) if truth.any() else math.nan

    def of_negatives(truth: NDArray[numpy.int_], predicted: NDArray[numpy.int_]) -> float:
        return float(false_positive_rate(truth, predicted, pos_label=1)) if not truth.all() else math.nan

    return {
        "selection_rate": selection_rate,
        "true_positive_rate": of_positives,
        "false_positive_rate": of_negatives,
        "accuracy": accuracy_score,
    }


def _positives(truth: NDArray[numpy.int_], predicted: NDArray[numpy.int_]) -> int:
    return int(truth.sum())


def _figure(name: str, value: float, rows: int, interval: Interval | None) -> Figure:
    return Figure(name=name, value=value, sample_size=rows, origin=Origin.MEASURED, interval=interval)
