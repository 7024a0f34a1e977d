from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from fairlearn.metrics import (
    demographic_parity_difference,
    demographic_parity_ratio,
    equalized_odds_difference,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from mandate.collectors.fairness import FairnessCollector, Options
from mandate.engine.errors import BadInput, MandateError, SourceMissing
from mandate.engine.input import Fairness, Figure, Group, Origin, Rows, SensitiveAttribute, intervals
from mandate.engine.input.gathering import Gathered, Target
from mandate.engine.input.intervals import Proportion
from mandate.engine.input.subject import Action
from mandate.sources.evaluation import evaluate

if TYPE_CHECKING:
    from tests.collectors.conftest import Files

HMDA = Path(__file__).parents[2] / "examples/credit/data/hmda.csv"
TARGET = Target("credit", "1", "models:/credit/1", "run", Action.PROMOTE, "production")
OPTIONS: dict[str, Any] = {
    "predictions": "predictions.csv",
    "id": "id",
    "label": "label",
    "prediction": "prediction",
    "positive": 1,
    "sensitive": ["sex"],
}
# Of f, 3 of 4 are selected: 2 of 2 positives and 1 of 2 negatives. Of m, 1 of 4: 1 of 3 and 0 of 1.
TABLE = pd.DataFrame(
    {
        "id": range(8),
        "label": [1, 1, 0, 0, 1, 1, 1, 0],
        "prediction": [1, 1, 1, 0, 1, 0, 0, 0],
        "sex": ["f"] * 4 + ["m"] * 4,
        "age": ["old", "old", "young", "young"] * 2,
    }
)


def collect(files: Files, **options: Any) -> Gathered:
    settings = Options.model_validate({**OPTIONS, **options})
    return FairnessCollector(settings, files.sources(), evaluate).collect(TARGET)


def section(files: Files, **options: Any) -> Fairness:
    fairness = collect(files, **options).sections["fairness"]
    assert isinstance(fairness, Fairness)
    return Fairness.model_validate_json(fairness.model_dump_json())  # what policies will see


def figures(attribute: SensitiveAttribute) -> dict[str, Any]:
    return {figure.name: figure.value for figure in attribute.metrics}


def group(name: str, size: int, **counts: tuple[int, int]) -> Group:
    """A group whose metrics are these counts of rows."""
    figures = [
        Figure(
            name=metric,
            value=count / rows,
            sample_size=rows,
            origin=Origin.MEASURED,
            interval=intervals.of_rate(Proportion(count, rows)),
        )
        for metric, (count, rows) in counts.items()
    ]
    return Group(name=name, size=size, metrics=tuple(figures))


def test_the_figures_of_a_small_table_are_those_computed_by_hand(files: Files) -> None:
    sha256 = files.write("predictions.csv", TABLE)
    gathered = collect(files)
    fairness = gathered.sections["fairness"]
    (sex,) = fairness.attributes
    assert (gathered.source, gathered.sha256) == ("predictions.csv", sha256)
    assert fairness.rows.count == 8
    assert (sex.name, sex.columns) == ("sex", ("sex",))
    assert list(sex.groups) == [
        group(
            "f",
            4,
            selection_rate=(3, 4),
            true_positive_rate=(2, 2),
            false_positive_rate=(1, 2),
            accuracy=(3, 4),
        ),
        group(
            "m",
            4,
            selection_rate=(1, 4),
            true_positive_rate=(1, 3),
            false_positive_rate=(0, 1),
            accuracy=(2, 4),
        ),
    ]
    assert [(one.name, one.value, one.sample_size, one.origin) for one in sex.metrics] == [
        ("demographic_parity_difference", 0.5, 8, Origin.MEASURED),
        ("demographic_parity_ratio", pytest.approx(1 / 3), 8, Origin.MEASURED),
        ("equalized_odds_difference", pytest.approx(2 / 3), 8, Origin.MEASURED),
    ]


def test_the_disparities_carry_a_named_interval(files: Files) -> None:
    files.write("predictions.csv", TABLE)
    assert [one.interval and one.interval.method for one in section(files).attributes[0].metrics] == [
        "Newcombe, between the extreme groups",
        "MOVER-R from Wilson scores, between the extreme groups",
        "Newcombe, between the extreme groups",
    ]


def test_csv_and_parquet_give_the_same_section(files: Files) -> None:
    files.write("predictions.csv", TABLE)
    files.write("predictions.parquet", TABLE)
    assert section(files) == section(files, predictions="predictions.parquet")


def test_the_order_of_the_rows_does_not_matter(files: Files) -> None:
    files.write("predictions.csv", TABLE)
    files.write("shuffled.csv", TABLE.sample(frac=1, random_state=3))
    assert section(files) == section(files, predictions="shuffled.csv")


def test_labels_are_joined_by_id(files: Files) -> None:
    files.write("predictions.csv", TABLE)
    files.write("bare.csv", TABLE[["id", "prediction"]])
    files.write("labels.parquet", TABLE[["id", "label", "sex"]].iloc[::-1])
    joined = collect(files, predictions="bare.csv", labels="labels.parquet")
    assert joined.sections == collect(files).sections
    assert joined.source == "bare.csv, labels.parquet"


def test_an_intersection_has_the_groups_that_occur(files: Files) -> None:
    files.write("predictions.csv", TABLE.drop(index=[4, 5]))
    found = section(files, intersections=[["sex", "age"]]).attributes
    assert [(one.name, one.columns) for one in found] == [("sex", ("sex",)), ("sex × age", ("sex", "age"))]
    assert [(one.name, one.size) for one in found[1].groups] == [
        ("f × old", 2),
        ("f × young", 2),
        ("m × young", 2),
    ]


def test_rows_without_a_value_are_a_group_of_their_own(files: Files) -> None:
    files.write("predictions.csv", TABLE.assign(sex=pd.Series(["f", None] * 4)))
    assert [(one.name, one.size) for one in section(files).attributes[0].groups] == [
        ("(missing)", 4),
        ("f", 4),
    ]


def test_a_group_has_the_same_name_whether_nulls_made_its_column_one_of_floats(files: Files) -> None:
    files.write("predictions.csv", TABLE.assign(sex=[1, 1, 1, 0, 0, 0, np.nan, np.nan]))
    assert [one.name for one in section(files).attributes[0].groups] == ["(missing)", "0", "1"]


def test_the_empty_text_and_null_are_two_groups(files: Files) -> None:
    files.write("predictions.parquet", TABLE.assign(sex=pd.Series(["", None] * 4)))
    found = section(files, predictions="predictions.parquet").attributes[0].groups
    assert [one.name for one in found] == ["(empty)", "(missing)"]


def test_one_group_has_no_disparity_that_could_pass(files: Files) -> None:
    files.write("predictions.csv", TABLE.assign(sex="f"))
    assert [(one.value, one.interval) for one in section(files).attributes[0].metrics] == [("NaN", None)] * 3


def test_a_rate_over_no_rows_is_named_and_not_invented(files: Files) -> None:
    files.write("predictions.csv", TABLE.assign(label=[0] * 4 + [1] * 4))
    (sex,) = section(files).attributes
    undefined = Figure(name="true_positive_rate", value="NaN", sample_size=0, origin=Origin.MEASURED)
    assert sex.groups[0].metrics[1] == undefined
    assert figures(sex)["demographic_parity_difference"] == 0.5
    assert figures(sex)["equalized_odds_difference"] == "NaN"


def test_the_ratio_of_two_rates_of_zero_is_named(files: Files) -> None:
    files.write("predictions.csv", TABLE.assign(prediction=0))
    (sex,) = section(files).attributes
    assert figures(sex) == {
        "demographic_parity_difference": 0.0,
        "demographic_parity_ratio": "NaN",
        "equalized_odds_difference": 0.0,
    }


@pytest.mark.parametrize(
    ("positive", "label", "prediction"),
    [
        ("no", ["no", "yes"], ["no", "yes"]),
        (True, [True, False], [True, False]),
        (1, [1, 0], [1.0, 0.0]),
        (1, [True, False], [1, 0]),
        (0.5, [0.5, 1.5], [0.5, 1.5]),
    ],
)
def test_the_positive_value_may_be_of_any_type(
    files: Files, positive: Any, label: Any, prediction: Any
) -> None:
    table = pd.DataFrame({"id": [1, 2], "label": label, "prediction": prediction, "sex": ["f", "m"]})
    files.write("predictions.csv", table)
    rates = [one.metrics[0].value for one in section(files, positive=positive).attributes[0].groups]
    assert rates == [1.0, 0.0]


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"label": [1, 1, 0, 0, 1, 1, 1, 2]}, "3 different values"),
        ({"prediction": [0.9, 0.8, 0.7, 0.1, 0.6, 0.2, 0.3, 0.4]}, "10 different values"),
        ({"label": [1, 1, 0, 0, 1, 1, 1, None]}, "has 1 nulls"),
        ({"prediction": [1.0, 1, 1, 0, 1, 0, 0, math.inf]}, "3 different values"),
        ({"prediction": ["1", "1", "1", "0", "1", "0", "0", "zero"]}, "5 different values"),
        ({"label": 0, "prediction": 0}, "the positive value 1 is not in"),
        ({"id": [1, 1, 2, 3, 4, 5, 6, 7]}, "1 rows repeat an id"),
        ({"id": [1, None, 2, 3, 4, 5, 6, 7]}, "1 rows have no id"),
        ({"sex": ["(missing)", None] * 4}, "names other rows"),
    ],
)
def test_a_table_that_would_need_guessing_is_refused(files: Files, changed: Any, complaint: str) -> None:
    files.write("predictions.csv", TABLE.assign(**changed))
    with pytest.raises(BadInput, match=complaint) as refused:
        collect(files)
    assert refused.value.where == "predictions.csv"
    assert refused.value.next_step
    assert "zero" not in str(refused.value)  # no value of a row


def test_other_rows_than_the_labels_are_refused(files: Files) -> None:
    files.write("predictions.csv", TABLE)
    files.write("labels.csv", TABLE.iloc[1:].assign(id=range(10, 17)))
    with pytest.raises(BadInput, match="8 have no label and 7 labels have no prediction"):
        collect(files, labels="labels.csv")
    files.write("labels.csv", TABLE.iloc[1:])
    with pytest.raises(BadInput, match="1 have no label and 0 labels have no prediction"):
        collect(files, labels="labels.csv")
    files.write("predictions.csv", TABLE.iloc[1:])
    files.write("labels.csv", TABLE)
    with pytest.raises(BadInput, match="0 have no label and 1 labels have no prediction"):
        collect(files, labels="labels.csv")


def test_a_missing_column_is_refused_with_the_nearest_name(files: Files) -> None:
    files.write("predictions.csv", TABLE)
    with pytest.raises(BadInput) as refused:
        collect(files, sensitive=["sexx"])
    assert str(refused.value) == "predictions.csv: there is no column 'sexx'. Write 'sex'."


def test_a_missing_table_is_missing_and_not_failed(files: Files) -> None:
    with pytest.raises(SourceMissing):
        collect(files)


def test_a_column_that_does_not_form_groups_is_refused(files: Files) -> None:
    rows = 201
    files.write(
        "predictions.csv", pd.DataFrame({"id": range(rows), "label": 1, "prediction": 1, "sex": range(rows)})
    )
    with pytest.raises(BadInput, match="'sex' has 201 different values, which are too many groups"):
        collect(files)


def test_two_groups_never_share_a_name(files: Files) -> None:
    table = TABLE.assign(sex=["a × b", "a"] * 4, age=["c", "b × c"] * 4)
    files.write("predictions.csv", table)
    with pytest.raises(BadInput, match="two groups of 'sex × age' would have the same name"):
        collect(files, intersections=[["sex", "age"]])


def test_a_group_needs_a_name_of_reasonable_length(files: Files) -> None:
    files.write("predictions.csv", TABLE.assign(sex=["x" * 513] * 8))
    with pytest.raises(BadInput, match="too long to name a group"):
        collect(files)


def test_an_intersection_needs_a_name_of_reasonable_length(files: Files) -> None:
    long, longer = "x" * 300, "y" * 300
    files.write("predictions.csv", TABLE.rename(columns={"sex": long, "age": longer}))
    with pytest.raises(BadInput, match="too long together"):
        collect(files, sensitive=[long], intersections=[[long, longer]])


def test_nested_labels_are_refused(files: Files) -> None:
    files.write("predictions.parquet", TABLE.assign(label=pd.Series([[1]] * 8, dtype=object)))
    with pytest.raises(BadInput, match="'label' holds nested values"):
        collect(files, predictions="predictions.parquet")


@pytest.mark.parametrize(
    "wrong",
    [
        {"sensitive": []},
        {"sensitive": ["sex", "sex"]},
        {"intersections": [["sex"]]},
        {"intersections": [["sex", "sex"]]},
        {"intersections": [["sex", "age"], ["sex", "age"]]},
        {"labels": "labels.csv", "id": None},
        {"positive": None},
        {"positive": math.nan},
        {"colour": "red"},
    ],
)
def test_options_that_say_too_little_or_too_much_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Options.model_validate({**OPTIONS, **wrong})


def test_real_applications_show_the_disparity_that_is_known_of_them(files: Files) -> None:
    applications = pd.read_csv(HMDA).assign(id=range(2380))
    files.write("predictions.parquet", applications)
    afam = section(
        files,
        predictions="predictions.parquet",
        label="deny",
        prediction="deny",
        positive="no",
        sensitive=["afam"],
        intersections=[["afam", "single"]],
    ).attributes[0]
    assert [(one.name, one.size) for one in afam.groups] == [("no", 2041), ("yes", 339)]
    # 28 % against 9 % denied, as the data's description says.
    assert [round(1 - float(one.metrics[0].value), 2) for one in afam.groups] == [0.09, 0.28]
    assert round(float(figures(afam)["demographic_parity_difference"]), 2) == 0.19


ROWS = st.lists(
    st.tuples(st.sampled_from([0, 1]), st.sampled_from([0, 1]), st.sampled_from("abc")),
    min_size=1,
    max_size=30,
)


@settings(max_examples=40, deadline=None)
@given(rows=ROWS)
def test_the_disparities_are_fairlearns(
    new_files: Callable[[], Files], rows: list[tuple[int, int, str]]
) -> None:
    files = new_files()
    table = pd.DataFrame(rows, columns=["label", "prediction", "sex"]).assign(id=range(len(rows)))
    files.write("predictions.csv", table)
    if not (table["label"].any() or table["prediction"].any()):
        with pytest.raises(BadInput):
            collect(files)
        return
    (sex,) = section(files).attributes
    truth, predicted = table["label"], table["prediction"]
    by_group = table.groupby("sex")
    several = len(by_group) > 1
    assert [one.size for one in sex.groups] == by_group.size().tolist()
    assert [one.metrics[0].value for one in sex.groups] == pytest.approx(
        by_group["prediction"].mean().tolist()
    )
    expected = {
        "demographic_parity_difference": demographic_parity_difference(
            truth, predicted, sensitive_features=table["sex"]
        ),
        "demographic_parity_ratio": demographic_parity_ratio(
            truth, predicted, sensitive_features=table["sex"]
        ),
        "equalized_odds_difference": equalized_odds_difference(
            truth, predicted, sensitive_features=table["sex"]
        )
        if (by_group["label"].nunique() == 2).all()
        else math.nan,
    }
    for figure in sex.metrics:
        value = expected[figure.name] if several else math.nan
        assert figure.value == ("NaN" if np.isnan(value) else pytest.approx(value))
        if figure.interval is not None and isinstance(figure.value, float):
            lower, upper = figure.interval.lower, figure.interval.upper
            assert isinstance(lower, float)
            assert isinstance(upper, float)
            assert 0 <= lower <= figure.value + 1e-9
            assert figure.value - 1e-9 <= upper <= 1


CELL = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 3), st.floats(width=64), st.text(max_size=3), st.just("1")
)


@settings(max_examples=80, deadline=None)
@given(data=st.data(), size=st.integers(1, 6))
def test_any_table_gives_a_section_or_an_error_of_ours(
    new_files: Callable[[], Files], data: st.DataObject, size: int
) -> None:
    def column() -> list[Any]:
        cell = data.draw(st.sampled_from([st.sampled_from([0, 1]), CELL]))
        return data.draw(st.lists(cell, min_size=size, max_size=size))

    files = new_files()
    names = ("label", "prediction", "sex", "age")
    files.write("predictions.csv", pd.DataFrame({"id": range(size), **{name: column() for name in names}}))
    try:
        fairness = section(files, intersections=[["sex", "age"]])
    except MandateError:
        return
    assert fairness.rows.count == size
    for attribute in fairness.attributes:
        assert sum(one.size for one in attribute.groups) == size


def test_the_digest_of_the_rows_is_that_of_ids_and_labels(files: Files) -> None:
    files.write("predictions.csv", TABLE)
    rows = section(files).rows
    files.write("predictions.csv", TABLE.assign(prediction=1))
    assert section(files).rows == rows
    for changed in ({"label": [1, 1, 0, 0, 1, 1, 0, 1]}, {"id": range(1, 9)}):
        files.write("predictions.csv", TABLE.assign(**changed))
        assert section(files).rows == Rows(count=8, sha256=section(files).rows.sha256) != rows
