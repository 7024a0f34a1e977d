from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from sklearn import metrics as sk

from mandate.collectors.performance import METRICS, Options, PerformanceCollector
from mandate.engine.errors import BadInput, MandateError, SourceMissing
from mandate.engine.input import Baseline, Figure, Interval, NoBaseline, Origin, Performance
from mandate.engine.input.gathering import Gathered, Target, digest_of
from mandate.engine.input.subject import Action
from mandate.sources.evaluation import evaluate

if TYPE_CHECKING:
    from tests.collectors.conftest import Files

TARGET = Target("credit", "2", "models:/credit/2", "run", Action.PROMOTE, "production")
OPTIONS: dict[str, Any] = {
    "predictions": "run:predictions.csv",
    "id": "id",
    "label": "label",
    "prediction": "prediction",
    "positive": 1,
    "score": "score",
    "metrics": list(METRICS),
}
# 3 true positives, 1 false positive, 2 false negatives, 4 true negatives.
TABLE = pd.DataFrame(
    {
        "id": range(10),
        "label": [1, 1, 1, 0, 1, 1, 0, 0, 0, 0],
        "prediction": [1, 1, 1, 1, 0, 0, 0, 0, 0, 0],
        "score": [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.0],
    }
)


def collect(files: Files, **options: Any) -> Gathered:
    chosen = Options.model_validate({**OPTIONS, **options})
    return PerformanceCollector(chosen, files.sources(), evaluate).collect(TARGET)


def section(files: Files, **options: Any) -> Performance:
    performance = collect(files, **options).sections["performance"]
    assert isinstance(performance, Performance)
    return Performance.model_validate_json(performance.model_dump_json())


def values(figures: tuple[Figure, ...]) -> dict[str, Any]:
    return {figure.name: figure.value for figure in figures}


def with_baseline(files: Files, uri: str, asked: str, **tables: pd.DataFrame) -> None:
    """Another version, with these tables among its own run's artifacts."""
    files.add_version(uri, asked=asked, folder="other")
    for location, table in tables.items():
        files.write(f"other/{location}.csv", table)


def test_the_metrics_of_a_small_table_are_those_computed_by_hand(files: Files) -> None:
    sha256 = files.write("predictions.csv", TABLE)
    gathered = collect(files)
    performance = gathered.sections["performance"]
    assert (gathered.source, gathered.sha256) == ("run:predictions.csv", sha256)
    assert performance.rows.count == 10
    assert [(one.name, one.value, one.sample_size, one.origin) for one in performance.metrics] == [
        ("accuracy", 0.7, 10, Origin.MEASURED),
        ("balanced_accuracy", pytest.approx((3 / 5 + 4 / 5) / 2), 10, Origin.MEASURED),
        ("precision", 0.75, 4, Origin.MEASURED),
        ("recall", 0.6, 5, Origin.MEASURED),
        ("f1", pytest.approx(2 * 3 / (2 * 3 + 1 + 2)), 10, Origin.MEASURED),
        # Of 25 pairs, the negative at 0.6 outranks the positives at 0.5 and 0.4.
        ("roc_auc", pytest.approx(23 / 25), 10, Origin.MEASURED),
        ("average_precision", pytest.approx((1 + 1 + 1 + 4 / 5 + 5 / 6) / 5), 10, Origin.MEASURED),
    ]
    assert performance.baseline == NoBaseline(reason="mandate.yaml sets no collectors.performance.baseline")


def test_each_metric_carries_a_named_interval(files: Files) -> None:
    files.write("predictions.csv", TABLE)
    found = {one.name: one.interval for one in section(files).metrics}
    # By hand: Wilson's limits are 0.3968 and 0.8922 for 7 of 10, and 0.1876 and 0.8124 for 3 of 6.
    assert found["accuracy"] == interval(0.3968, 0.8922, "Wilson score", 1e-4)
    assert found["f1"] == interval(
        2 * 0.18762 / 1.18762,
        2 * 0.81238 / 1.81238,
        "Wilson score of the Jaccard index, transformed",
        1e-4,
    )
    # By hand: (0.0736 + 4 × 0.00545 + 4 × 0.03527) / 25 = 0.00946, logit's spread 0.0973 / 0.0736 = 1.321.
    assert found["roc_auc"] == interval(0.4632, 0.9935, "Hanley and McNeil, on the logit scale", 1e-4)
    # By hand: logit(0.92667) = 2.5370, spread 1 / sqrt(5 × 0.92667 × 0.07333) = 1.7155.
    assert found["average_precision"] == interval(0.3045, 0.9973, "Boyd, Eng and Page, logit", 1e-4)
    assert {name for name, one in found.items() if one is None} == set()


def interval(lower: float, upper: float, method: str, tolerance: float) -> Any:
    limits: dict[str, Any] = {
        "lower": pytest.approx(lower, abs=tolerance),
        "upper": pytest.approx(upper, abs=tolerance),
    }
    return Interval.model_construct(**limits, level=0.95, method=method)


def test_csv_and_parquet_give_the_same_section(files: Files) -> None:
    files.write("predictions.csv", TABLE)
    files.write("predictions.parquet", TABLE)
    assert section(files) == section(files, predictions="predictions.parquet")


def test_only_the_named_metrics_are_measured(files: Files) -> None:
    files.write("predictions.csv", TABLE.drop(columns="score"))
    found = section(files, score=None, metrics=["recall", "accuracy"])
    assert values(found.metrics) == {"recall": 0.6, "accuracy": 0.7}


@pytest.mark.parametrize(
    ("changed", "undefined"),
    [
        ({"prediction": 0}, {"precision"}),
        ({"label": 0}, {"recall", "balanced_accuracy", "roc_auc", "average_precision"}),
        ({"label": 1}, {"balanced_accuracy", "roc_auc"}),
    ],
)
def test_what_is_not_defined_is_named_and_not_invented(
    files: Files, changed: Any, undefined: set[str]
) -> None:
    files.write("predictions.csv", TABLE.assign(**changed))
    found = section(files).metrics
    assert {one.name for one in found if one.value == "NaN"} == undefined
    assert {one.interval for one in found if one.value == "NaN"} == {None}


def test_the_baseline_is_measured_on_the_same_rows(files: Files) -> None:
    first = files.write("predictions.csv", TABLE)
    worse = TABLE.assign(prediction=1).sample(frac=1, random_state=1)
    with_baseline(files, "models:/credit/1", "models:/credit@champion", predictions=worse)
    gathered = collect(files, baseline="champion", metrics=["accuracy"])
    baseline = gathered.sections["performance"].baseline
    assert isinstance(baseline, Baseline)
    assert (baseline.uri, values(baseline.metrics)) == ("models:/credit/1", {"accuracy": 0.5})
    second = files.sources().of("models:/credit@champion")[1].file("run:predictions.csv").sha256
    assert gathered.sha256 == digest_of(first, second)
    assert gathered.source == "run:predictions.csv; models:/credit/1: run:predictions.csv"


def test_the_baseline_may_be_a_version(files: Files) -> None:
    files.write("predictions.csv", TABLE)
    with_baseline(files, "models:/credit/1", "models:/credit/1", predictions=TABLE)
    assert section(files, baseline="1").baseline.status == "measured"


@pytest.mark.parametrize(
    "changed",
    [
        TABLE.assign(id=range(1, 11)),
        TABLE.assign(label=[0, *TABLE["label"][1:]]),
        TABLE.iloc[1:],
    ],
    ids=["other ids", "another label", "fewer rows"],
)
def test_a_baseline_on_other_rows_is_not_compared(files: Files, changed: pd.DataFrame) -> None:
    files.write("predictions.csv", TABLE)
    with_baseline(files, "models:/credit/1", "models:/credit@champion", predictions=changed)
    with pytest.raises(BadInput, match=r"rows are not the 10 rows of 'models:/credit/2'") as refused:
        collect(files, baseline="champion")
    assert refused.value.where == "models:/credit/1"


def test_a_baseline_with_other_labels_in_its_own_table_is_not_compared(files: Files) -> None:
    labels = TABLE[["id", "label"]]
    files.write("predictions.csv", TABLE.drop(columns="label"))
    files.write("labels.csv", labels)
    changed = labels.assign(label=[0, *labels["label"][1:]])
    with_baseline(files, "models:/credit/1", "models:/credit@champion", predictions=TABLE, labels=changed)
    with pytest.raises(BadInput, match="rows are not the 10 rows"):
        collect(files, baseline="champion", labels="run:labels.csv")


def test_a_first_version_has_no_baseline_and_says_so(files: Files) -> None:
    files.write("predictions.csv", TABLE)
    assert section(files, baseline="champion").baseline == NoBaseline(
        reason="models:/credit@champion: there is no such version."
    )


def test_the_champion_is_not_compared_with_itself(files: Files) -> None:
    files.write("predictions.csv", TABLE)
    with_baseline(files, TARGET.uri, "models:/credit@champion", predictions=TABLE)
    assert section(files, baseline="champion").baseline == NoBaseline(
        reason="champion is this version itself"
    )


def test_a_baseline_without_its_predictions_is_not_a_first_version(files: Files) -> None:
    files.write("predictions.csv", TABLE)
    with_baseline(files, "models:/credit/1", "models:/credit@champion")
    with pytest.raises(SourceMissing):
        collect(files, baseline="champion")


def test_a_baseline_version_that_is_gone_is_not_a_first_version(files: Files) -> None:
    files.write("predictions.csv", TABLE)
    with pytest.raises(SourceMissing):
        collect(files, baseline="1")


@pytest.mark.parametrize(
    "scores", [["high"] * 10, [None, *TABLE["score"][1:]], [math.inf, *TABLE["score"][1:]], [True] * 10]
)
def test_scores_that_are_not_numbers_are_refused(files: Files, scores: list[Any]) -> None:
    files.write("predictions.csv", TABLE.assign(score=scores))
    with pytest.raises(BadInput, match="'score' holds scores that are not finite numbers"):
        collect(files)


def test_rows_without_an_id_are_known_by_their_place(files: Files) -> None:
    files.write("predictions.csv", TABLE.drop(columns="id"))
    files.write("shuffled.csv", TABLE.drop(columns="id").iloc[::-1])
    one, other = section(files, id=None), section(files, id=None, predictions="shuffled.csv")
    assert values(one.metrics) == values(other.metrics)
    assert one.rows != other.rows


@pytest.mark.parametrize(
    "wrong",
    [
        {"metrics": []},
        {"metrics": ["log_loss"]},
        {"metrics": ["accuracy", "accuracy"]},
        {"metrics": ["roc_auc"], "score": None},
        {"baseline": "champion", "id": None},
        {"labels": "labels.csv", "id": None},
    ],
)
def test_options_that_cannot_be_measured_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Options.model_validate({**OPTIONS, **wrong})


def test_accuracy_is_the_default() -> None:
    assert Options(predictions="p", label="l", prediction="q", positive=1).metrics == ["accuracy"]


ROWS = st.lists(
    st.tuples(st.sampled_from([0, 1]), st.sampled_from([0, 1]), st.sampled_from([0.0, 0.25, 0.5, 1.0])),
    min_size=2,
    max_size=40,
).filter(lambda rows: {row[0] for row in rows} == {0, 1} and any(row[1] for row in rows))


@settings(max_examples=50, deadline=None)
@given(rows=ROWS)
def test_the_metrics_are_scikit_learns(
    new_files: Callable[[], Files], rows: list[tuple[int, int, float]]
) -> None:
    files = new_files()
    table = pd.DataFrame(rows, columns=["label", "prediction", "score"]).assign(id=range(len(rows)))
    files.write("predictions.parquet", table)
    truth, predicted, scores = table["label"], table["prediction"], table["score"]
    found = section(files, predictions="predictions.parquet").metrics
    assert values(found) == pytest.approx(
        {
            "accuracy": sk.accuracy_score(truth, predicted),
            "balanced_accuracy": sk.balanced_accuracy_score(truth, predicted),
            "precision": sk.precision_score(truth, predicted),
            "recall": sk.recall_score(truth, predicted),
            "f1": sk.f1_score(truth, predicted),
            "roc_auc": sk.roc_auc_score(truth, scores),
            "average_precision": sk.average_precision_score(truth, scores),
        }
    )
    for figure in found:
        if figure.interval is not None:
            lower, upper, value = figure.interval.lower, figure.interval.upper, figure.value
            assert isinstance(lower, float)
            assert isinstance(upper, float)
            assert isinstance(value, float)
            assert -1e-9 <= lower <= value + 1e-9
            assert value - 1e-9 <= upper <= 1 + 1e-9


CELL = st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.floats(width=64), st.text(max_size=3))


@settings(max_examples=60, deadline=None)
@given(data=st.data(), size=st.integers(1, 6))
def test_any_table_gives_a_section_or_an_error_of_ours(
    new_files: Callable[[], Files], data: st.DataObject, size: int
) -> None:
    def column(tame: Any) -> list[Any]:
        cell = data.draw(st.sampled_from([tame, CELL]))
        return data.draw(st.lists(cell, min_size=size, max_size=size))

    files = new_files()
    binary = st.sampled_from([0, 1])
    ids = data.draw(st.sampled_from([list(range(size)), None]))
    table = pd.DataFrame(
        {
            "id": ids if ids is not None else column(st.integers(0, 9)),
            "label": column(binary),
            "prediction": column(binary),
            "score": column(st.floats(0, 1)),
        }
    )
    files.write("predictions.csv", table)
    try:
        performance = section(files)
    except MandateError:
        return
    assert performance.rows.count == size
    assert [one.name for one in performance.metrics] == list(METRICS)


def test_the_interval_of_the_area_covers_it_as_often_as_it_says() -> None:
    """On 400 samples of two normal distributions whose area is Φ(1 / √2) = 0.7602."""
    generator = np.random.default_rng(7)
    truth = np.array([True] * 60 + [False] * 60)
    covered = 0
    for _ in range(400):
        scores = generator.normal(size=120) + truth
        measured = METRICS["roc_auc"](_evaluation(truth, scores)).interval
        assert measured is not None
        assert isinstance(measured.lower, float)
        assert isinstance(measured.upper, float)
        covered += measured.lower <= 0.7602 <= measured.upper
    assert 0.92 <= covered / 400 <= 0.98


def test_f1_of_nothing_positive_is_named() -> None:
    nothing = np.array([False] * 3)
    assert METRICS["f1"](_evaluation(nothing, None)).figure("f1") == Figure(
        name="f1", value="NaN", sample_size=3, origin=Origin.MEASURED
    )


def _evaluation(truth: Any, scores: Any) -> Any:
    from mandate.engine.input import Rows
    from mandate.engine.input.evaluation import Evaluation

    rows = Rows(count=len(truth), sha256="0" * 64)
    return Evaluation(rows, truth, truth, scores, pd.DataFrame(), "", ())


def test_the_example_data_is_measured_in_a_moment(files: Files) -> None:
    hmda = pd.read_csv(Path(__file__).parents[2] / "examples/credit/data/hmda.csv").assign(id=range(2380))
    files.write("predictions.csv", hmda)
    found = section(files, label="deny", prediction="insurance", positive="no", score="pirat")
    assert found.rows.count == 2380
    assert all(isinstance(one.value, float) and one.interval is not None for one in found.metrics)
