"""How well the model predicts on the hold-out, and how the model that it would replace did on the same rows.

All metrics are scikit-learn's, of the positive class, and the higher the better. What is not defined is
`NaN`: precision where nothing was predicted positive, the area under a curve where one class is absent.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import Field, model_validator

from mandate.engine.errors import BadInput, SourceMissing
from mandate.engine.input import intervals
from mandate.engine.input.base import Name
from mandate.engine.input.evaluation import Evaluation, Evaluations, EvaluationTables
from mandate.engine.input.figures import Figure, Interval, Origin
from mandate.engine.input.gathering import Gathered, Sources, Target, digest_of
from mandate.engine.input.intervals import Proportion
from mandate.engine.input.performance import Baseline, NoBaseline, Performance

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

Metric = Literal["accuracy", "balanced_accuracy", "precision", "recall", "f1", "roc_auc", "average_precision"]
_OF_SCORES = frozenset({"roc_auc", "average_precision"})


class Options(EvaluationTables):
    """`collectors.performance` in `mandate.yaml`."""

    score: Name | None = None
    """Column of scores, such as probabilities of the positive class, in the table of predictions."""
    metrics: list[Metric] = Field(min_length=1, default_factory=lambda: list[Metric](["accuracy"]))
    baseline: Name | None = None
    """An alias of the same registered model, such as `champion`, or a version number; `None`: none."""

    @model_validator(mode="after")
    def _can_be_measured(self) -> Self:
        if len(set(self.metrics)) < len(self.metrics):
            raise ValueError("a metric is named twice")
        if self.score is None and (needy := sorted(_OF_SCORES & set(self.metrics))):
            raise ValueError(f"score is needed for {' and '.join(needy)}")
        if self.baseline is not None and self.id is None:
            raise ValueError("id is needed where there is a baseline: it says which rows are the same")
        return self


class PerformanceCollector:
    """Collects the section `performance`."""

    name = "performance"

    def __init__(self, options: Options, sources: Sources, evaluations: Evaluations) -> None:
        self._options = options
        self._sources = sources
        self._evaluations = evaluations

    def collect(self, target: Target) -> Gathered:
        """The metrics, and the baseline's. `BadInput` also if the baseline was measured on other rows. A
        baseline whose tables are gone is `SourceMissing`: that is not the same as having no baseline."""
        evaluation = self._evaluate(self._sources)
        baseline, read = self._baseline(target, evaluation)
        section = Performance(rows=evaluation.rows, metrics=self._measure(evaluation), baseline=baseline)
        source = "; ".join([evaluation.source, *(f"{uri}: {other.source}" for uri, other in read)])
        digests = [*evaluation.sha256, *(digest for _, other in read for digest in other.sha256)]
        return Gathered({"performance": section}, source, digest_of(*digests))

    def _evaluate(self, sources: Sources) -> Evaluation:
        score = self._options.score if _OF_SCORES & set(self._options.metrics) else None
        return self._evaluations(sources, self._options, score=score)

    def _measure(self, evaluation: Evaluation) -> tuple[Figure, ...]:
        return tuple(METRICS[name](evaluation).figure(name) for name in self._options.metrics)

    def _baseline(
        self, target: Target, evaluation: Evaluation
    ) -> tuple[Baseline | NoBaseline, list[tuple[str, Evaluation]]]:
        baseline = self._options.baseline
        if baseline is None:
            return NoBaseline(reason="mandate.yaml sets no collectors.performance.baseline"), []
        is_version = baseline.isascii() and baseline.isdigit()
        try:
            uri, sources = self._sources.of(f"models:/{target.name}{'/' if is_version else '@'}{baseline}")
        except SourceMissing as error:
            if is_version:  # named on purpose: that it is gone is not the state of a first version
                raise
            return NoBaseline(reason=str(error)), []
        if uri == target.uri:
            return NoBaseline(reason=f"{baseline} is this version itself"), []
        other = self._evaluate(sources)
        if other.rows != evaluation.rows:
            raise BadInput(
                f"its {other.rows.count} rows are not the {evaluation.rows.count} rows of {target.uri!a}",
                where=uri,
                next_step="Predict the same labelled rows with both versions",
            )
        return Baseline(uri=uri, metrics=self._measure(other)), [(uri, other)]


@dataclass(frozen=True, slots=True)
class _Measured:
    """A metric's value, the rows it rests on, and its interval."""

    value: float
    rows: int
    interval: Interval | None

    def figure(self, name: str) -> Figure:
        return Figure(
            name=name, value=self.value, sample_size=self.rows, origin=Origin.MEASURED, interval=self.interval
        )


def _accuracy(evaluation: Evaluation) -> _Measured:
    from sklearn.metrics import accuracy_score

    return _proportion(accuracy_score(evaluation.truth, evaluation.predicted), evaluation.rows.count)


def _precision(evaluation: Evaluation) -> _Measured:
    from sklearn.metrics import precision_score

    value = precision_score(evaluation.truth, evaluation.predicted, zero_division=math.nan)
    return _proportion(value, int(evaluation.predicted.sum()))


def _recall(evaluation: Evaluation) -> _Measured:
    from sklearn.metrics import recall_score

    value = recall_score(evaluation.truth, evaluation.predicted, zero_division=math.nan)
    return _proportion(value, int(evaluation.truth.sum()))


def _proportion(value: float, rows: int) -> _Measured:
    rate = float(value)
    if rows == 0:
        return _Measured(math.nan, 0, None)
    return _Measured(rate, rows, intervals.of_rate(Proportion(round(rate * rows), rows)))


def _balanced_accuracy(evaluation: Evaluation) -> _Measured:
    from sklearn.metrics import balanced_accuracy_score

    truth, predicted = evaluation.truth, evaluation.predicted
    if not _both_classes(truth):  # scikit-learn averages over the classes that there are
        return _Measured(math.nan, len(truth), None)
    positives = Proportion(int((truth & predicted).sum()), int(truth.sum()))
    negatives = Proportion(int((~truth & ~predicted).sum()), int((~truth).sum()))
    value = float(balanced_accuracy_score(truth, predicted))
    return _Measured(value, len(truth), intervals.of_mean(positives, negatives))


def _f1(evaluation: Evaluation) -> _Measured:
    """F1 = 2p / (1 + p), where p is the share of true positives among the rows that are positive or predicted
    to be (the Jaccard index): as F1 grows with p, p's Wilson limits give those of F1."""
    from sklearn.metrics import f1_score

    truth, predicted = evaluation.truth, evaluation.predicted
    concerned = Proportion(int((truth & predicted).sum()), int((truth | predicted).sum()))
    if concerned.size == 0:
        return _Measured(math.nan, len(truth), None)
    lower, upper = (2 * limit / (1 + limit) for limit in concerned.wilson())
    value = float(f1_score(truth, predicted, zero_division=math.nan))
    method = "Wilson score of the Jaccard index, transformed"
    interval = Interval(lower=lower, upper=upper, level=intervals.LEVEL, method=method)
    return _Measured(value, len(truth), interval)


def _roc_auc(evaluation: Evaluation) -> _Measured:
    """Interval: standard error by Hanley and McNeil (Radiology 143, 1982), on the logit scale."""
    from sklearn.metrics import roc_auc_score

    truth, scores = evaluation.truth, _scores(evaluation)
    if not _both_classes(truth):
        return _Measured(math.nan, len(truth), None)
    area, positives = float(roc_auc_score(truth, scores)), int(truth.sum())
    negatives = len(truth) - positives
    # Probabilities that two positives outrank a negative, and that a positive outranks two negatives.
    two_positives, two_negatives = area / (2 - area), 2 * area**2 / (1 + area)
    variance = (
        area * (1 - area)
        + (positives - 1) * (two_positives - area**2)
        + (negatives - 1) * (two_negatives - area**2)
    ) / (positives * negatives)
    spread = math.sqrt(max(0.0, variance)) / (area * (1 - area)) if 0 < area < 1 else math.nan
    return _Measured(area, len(truth), _logit(area, spread, "Hanley and McNeil, on the logit scale"))


def _average_precision(evaluation: Evaluation) -> _Measured:
    """Interval: logit interval of Boyd, Eng and Page (ECML PKDD 2013)."""
    from sklearn.metrics import average_precision_score

    truth, scores = evaluation.truth, _scores(evaluation)
    if not truth.any():  # scikit-learn says 0
        return _Measured(math.nan, len(truth), None)
    area = float(average_precision_score(truth, scores))
    spread = 1 / math.sqrt(int(truth.sum()) * area * (1 - area)) if 0 < area < 1 else math.nan
    return _Measured(area, len(truth), _logit(area, spread, "Boyd, Eng and Page, logit"))


def _logit(area: float, spread: float, method: str) -> Interval | None:
    """Symmetric on the logit scale, where `spread` is the standard error; an area of 0 or 1 has none."""
    if not 0 < area < 1:
        return None
    reach = NormalDist().inv_cdf((1 + intervals.LEVEL) / 2) * spread
    centre = math.log(area / (1 - area))
    lower, upper = (1 / (1 + math.exp(-limit)) for limit in (centre - reach, centre + reach))
    return Interval(lower=lower, upper=upper, level=intervals.LEVEL, method=method)


def _both_classes(truth: NDArray[numpy.bool_]) -> bool:
    return bool(truth.any()) and not bool(truth.all())


def _scores(evaluation: Evaluation) -> Any:
    return evaluation.scores


METRICS: Mapping[Metric, Callable[[Evaluation], _Measured]] = {
    "accuracy": _accuracy,
    "balanced_accuracy": _balanced_accuracy,
    "precision": _precision,
    "recall": _recall,
    "f1": _f1,
    "roc_auc": _roc_auc,
    "average_precision": _average_precision,
}
