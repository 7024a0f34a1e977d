from __future__ import annotations

import datetime as dt
import decimal
import math
import socket
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from mandate.collectors.drift import METHOD, DriftCollector, Options
from mandate.engine.errors import BadInput, MandateError, SourceMissing
from mandate.engine.input import Drift, DriftedColumn, DriftTest, Figure, Origin
from mandate.engine.input.gathering import Gathered, Target, digest_of
from mandate.engine.input.subject import Action

if TYPE_CHECKING:
    from tests.collectors.conftest import Files

HMDA = Path(__file__).parents[2] / "examples/credit/data/hmda.csv"


def target(action: Action = Action.PROMOTE) -> Target:
    return Target("credit", "1", "models:/credit/1", "run", action, "production")


def collect(files: Files, action: Action = Action.PROMOTE, **options: Any) -> Gathered:
    chosen = Options.model_validate(
        {"reference": "reference.parquet", "current": "current.parquet", **options}
    )
    return DriftCollector(chosen, files.sources()).collect(target(action))


def section(files: Files, reference: Any, current: Any, **options: Any) -> Drift:
    files.write("reference.parquet", pd.DataFrame(reference))
    files.write("current.parquet", pd.DataFrame(current))
    drift = collect(files, **options).sections["drift"]
    assert isinstance(drift, Drift)
    return Drift.model_validate_json(drift.model_dump_json())


def column(files: Files, reference: Any, current: Any) -> DriftedColumn:
    return section(files, {"x": reference}, {"x": current}).columns[0]


def psi(files: Files, reference: Any, current: Any) -> Any:
    figure = column(files, reference, current).psi
    assert figure is not None
    return figure.value


def measured(name: str, value: Any, rows: int) -> Figure:
    return Figure(name=name, value=value, sample_size=rows, origin=Origin.MEASURED)


def addend(p: float, q: float) -> float:
    return (p - q) * math.log(p / q)


def test_the_figures_of_a_small_table_are_those_computed_by_hand(files: Files) -> None:
    reference, current = ["a"] * 6 + ["b"] * 3 + [None], ["a"] * 3 + ["b"] * 3 + ["c"] * 2 + [None] * 2
    found = section(files, {"x": reference}, {"x": current})
    found_psi = found.columns[0].psi
    assert found_psi is not None
    expected = addend(6 / 9, 3 / 8) + addend(3 / 9, 3 / 8) + addend(0.0001, 2 / 8)
    assert found_psi.value == pytest.approx(expected)
    assert found == Drift(
        method=METHOD,
        reference_rows=10,
        current_rows=10,
        columns=(
            DriftedColumn(
                name="x",
                in_reference=True,
                in_current=True,
                psi=measured("psi", found_psi.value, 17),
                # A count where none was expected: chi-square is infinite.
                test=DriftTest(method="chi-square p_value", score=0.0, threshold=0.05, drifted=True),
                null_rate_reference=measured("null_rate_reference", 0.1, 10),
                null_rate_current=measured("null_rate_current", 0.2, 10),
                null_rate_increase=measured("null_rate_increase", 0.1, 20),
                new_categories=1,
            ),
        ),
        drifted_share=measured("drifted_share", 1.0, 10),
    )


def test_numbers_are_cut_at_the_references_deciles(files: Files) -> None:
    reference = [value + 0.5 for value in range(100)]
    current = [value + 0.5 for value in range(50, 150)]
    # Each decile has a tenth; the current data have nothing in five, and 60 of 100 in the unbounded last one.
    expected = 5 * addend(0.1, 0.0001) + 4 * addend(0.1, 0.1) + addend(0.1, 0.6)
    assert psi(files, reference, current) == pytest.approx(expected)


def test_one_far_value_does_not_flatten_the_bins(files: Files) -> None:
    """As it does with bins that are cut over both samples."""
    reference = [value + 0.5 for value in range(100)]
    assert psi(files, reference, [value + 50.5 for value in range(99)] + [1e12]) > 1


def test_a_value_with_much_weight_has_a_bin_of_its_own(files: Files) -> None:
    generator = np.random.default_rng(1)
    reference = np.concatenate([np.zeros(500), generator.normal(10.5, size=500)])
    current = np.concatenate([np.full(500, -0.5), generator.normal(10.5, size=500)])
    assert psi(files, reference, reference) == 0.0
    assert psi(files, reference, current) > 3


@pytest.mark.parametrize(("reference", "current"), [([3.9] * 50, [3.8] * 50), ([7] * 50, [8] * 50)])
def test_a_constant_that_moves_is_seen(files: Files, reference: list[float], current: list[float]) -> None:
    found = column(files, reference, current)
    assert found.psi is not None
    assert isinstance(found.psi.value, float)
    assert found.psi.value > 10
    assert found.test is not None
    assert found.test.drifted


def test_whole_numbers_with_few_values_are_categories(files: Files) -> None:
    found = column(files, [1, 2, 3] * 20, [1, 2, 4] * 20)
    assert found.new_categories == 1
    assert found.psi is not None
    assert found.psi.value == pytest.approx(2 * addend(1 / 3, 0.0001))


def test_numbers_of_either_type_are_the_same_numbers(files: Files) -> None:
    assert psi(files, [1, 2, 3, 4] * 5, [1.0, 2.0, 3.0, 4.0, None] * 5) == 0.0


def test_a_column_that_is_gone_counts_as_drifted(files: Files) -> None:
    found = section(files, {"x": [1, 2] * 9, "y": [1, 2] * 9}, {"y": [1, 2] * 9})
    assert found.columns[0] == DriftedColumn(
        name="x",
        in_reference=True,
        in_current=False,
        psi=None,
        test=None,
        null_rate_reference=measured("null_rate_reference", 0.0, 18),
        null_rate_current=None,
        null_rate_increase=None,
    )
    assert found.drifted_share == measured("drifted_share", 0.5, 18)


def test_a_watched_column_that_only_the_current_data_have_counts_as_drifted(files: Files) -> None:
    found = section(files, {"x": [1, 2]}, {"x": [1, 2], "y": [1, 2]}, columns=["x", "y"])
    assert [(one.name, one.in_reference, one.in_current) for one in found.columns] == [
        ("x", True, True),
        ("y", False, True),
    ]
    assert found.drifted_share.value == 0.5


def test_nulls_are_seen_where_evidently_sees_none(files: Files) -> None:
    reference = np.random.default_rng(0).normal(size=400)
    current = pd.Series(reference).where(np.arange(400) % 10 == 0)
    found = column(files, reference, current)
    assert found.test is not None
    assert not found.test.drifted
    assert found.null_rate_increase == measured("null_rate_increase", 0.9, 800)


@pytest.mark.parametrize(
    ("reference", "current"), [([1.0, 2.0], [None, None]), ([None, None], [1.0, 2.0]), ([None], [None])]
)
def test_a_column_without_values_has_no_number_and_counts_as_drifted(
    files: Files, reference: Any, current: Any
) -> None:
    found = section(files, {"x": reference}, {"x": current})
    assert found.columns[0].psi == measured(
        "psi", "NaN", sum(one is not None for one in (*reference, *current))
    )
    assert found.columns[0].test is None
    assert found.drifted_share.value == 1.0


def test_infinite_values_are_in_the_outermost_bins(files: Files) -> None:
    reference = [value + 0.5 for value in range(100)]
    assert psi(files, reference, [*reference[:50], *[math.inf] * 50]) > 1
    assert column(files, [math.inf, 1.5], [math.inf] * 2).test is None


@pytest.mark.parametrize(
    ("reference", "current"),
    [
        (
            [dt.datetime(2026, 1, day) for day in range(1, 31)],
            [dt.datetime(2026, 3, day) for day in range(1, 31)],
        ),
        ([dt.timedelta(days=day) for day in range(30)], [dt.timedelta(days=day) for day in range(30, 60)]),
        (
            [decimal.Decimal(day) / 4 for day in range(30)],
            [decimal.Decimal(day) / 4 for day in range(30, 60)],
        ),
    ],
    ids=["times", "durations", "decimals"],
)
def test_times_durations_and_decimals_are_numbers(files: Files, reference: Any, current: Any) -> None:
    assert psi(files, reference, reference) == 0.0
    found = column(files, reference, current)
    assert found.test is not None
    assert (found.test.method, found.test.drifted) == ("K-S p_value", True)
    assert found.new_categories == 0


@pytest.mark.parametrize(
    ("reference", "current", "new"),
    [
        ([True, False] * 9, [True, False] * 9, 0),
        ([True, False] * 9, [True, False, None] * 6, 0),
        (["1", "2"] * 9, [1, 2] * 9, 0),
        ([1, 2] * 9, ["1", "x"] * 9, 1),
        ([dt.date(2026, 1, 1), dt.date(2026, 1, 2)] * 9, [dt.date(2026, 1, 1)] * 18, 0),
        ([[1, 2], [3]] * 9, [[1, 2], [4]] * 9, 1),
    ],
)
def test_what_is_not_a_number_on_both_sides_is_compared_as_text(
    files: Files, reference: Any, current: Any, new: int
) -> None:
    found = column(files, reference, current)
    assert found.new_categories == new
    assert found.test is not None
    assert found.test.method in ("Z-test p_value", "chi-square p_value")


def test_csv_and_parquet_give_the_same_section(files: Files) -> None:
    applications = pd.read_csv(HMDA)
    for location, rows in (("reference", applications[:600]), ("current", applications[600:900])):
        files.write(f"{location}.csv", rows)
        files.write(f"{location}.parquet", rows)
    assert (
        collect(files).sections == collect(files, reference="reference.csv", current="current.csv").sections
    )


def test_the_batch_replaces_the_current_table_in_monitoring_only(files: Files) -> None:
    one = files.write("reference.parquet", pd.DataFrame({"x": [1, 2] * 9}))
    two = files.write("current.parquet", pd.DataFrame({"x": [1, 2] * 9}))
    three = files.write("batch.parquet", pd.DataFrame({"y": [1, 2] * 9}))
    for action in (Action.PROMOTE, Action.DEPLOY):
        gathered = collect(files, action, batch="batch.parquet")
        assert gathered.source == "reference.parquet, current.parquet"
        assert gathered.sha256 == digest_of(one, two)
        assert gathered.sections["drift"].drifted_share.value == 0.0
    gathered = collect(files, Action.MONITOR, batch="batch.parquet")
    assert (gathered.source, gathered.sha256) == ("reference.parquet, batch.parquet", digest_of(one, three))
    assert gathered.sections["drift"].drifted_share.value == 1.0
    assert collect(files, Action.MONITOR).source == "reference.parquet, current.parquet"


def test_columns_are_watched_as_the_settings_say(files: Files) -> None:
    table = {"x": [1, 2], "y": [1, 2], "id": [7, 8]}
    assert [one.name for one in section(files, table, table).columns] == ["x", "y", "id"]
    assert [one.name for one in section(files, table, table, ignore=["id"]).columns] == ["x", "y"]
    assert [one.name for one in section(files, table, table, columns=["y"]).columns] == ["y"]


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"columns": ["x", "z"]}, "neither table has the column 'z'"),
        ({"ignore": ["z"]}, "neither table has the column 'z'"),
        ({"ignore": ["x", "y"]}, "no column is left to watch"),
    ],
)
def test_settings_that_watch_nothing_are_refused(files: Files, options: Any, complaint: str) -> None:
    table = {"x": [1, 2], "y": [1, 2]}
    with pytest.raises(BadInput, match=complaint):
        section(files, table, table, **options)


@pytest.mark.parametrize(
    "wrong",
    [{"columns": []}, {"columns": ["x", "x"]}, {"columns": ["x"], "ignore": ["y"]}, {"threshold": 0.2}],
)
def test_options_that_contradict_themselves_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Options.model_validate({"reference": "r", "current": "c", **wrong})


def test_a_missing_table_is_missing_and_not_failed(files: Files) -> None:
    with pytest.raises(SourceMissing):
        collect(files)


def test_a_test_that_finds_no_number_has_no_verdict_and_counts_as_drifted(files: Files) -> None:
    numbers = [1.5e308, -1.5e308, 0.5, 1.5, 2.5, 3.5] * 200
    found = section(files, {"x": numbers}, {"x": numbers})
    assert found.columns[0].test is None
    assert found.columns[0].psi == measured("psi", 0.0, 2400)
    assert found.drifted_share.value == 1.0


def test_what_evidently_stumbles_over_is_an_error_without_a_value(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    from evidently.legacy.calculations import stattests

    def broken(*_: object) -> None:
        raise ValueError("secret value")

    monkeypatch.setattr(stattests, "get_stattest", broken)
    with pytest.raises(BadInput, match=r"Evidently cannot test the column 'x' \(ValueError\)") as refused:
        column(files, [1, 2], [1, 2])
    assert "secret" not in str(refused.value)


def _evidentlys_report(
    reference: pd.Series, current: pd.Series, *, numeric: bool
) -> tuple[str, float, float, str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from evidently import DataDefinition, Dataset, Report
        from evidently.metrics import ValueDrift

        kind = {"numerical_columns": ["x"]} if numeric else {"categorical_columns": ["x"]}
        tables = (
            Dataset.from_pandas(pd.DataFrame({"x": side}), data_definition=DataDefinition(**kind))
            for side in (current, reference)
        )
        found = Report([ValueDrift(column="x")], include_tests=True).run(*tables).dict()
    metric = found["metrics"][0]
    status = found["tests"][0]["status"]
    return (
        metric["config"]["method"],
        float(metric["value"]),
        float(metric["config"]["threshold"]),
        str(getattr(status, "value", status)),
    )


@pytest.mark.parametrize("rows", [300, 1500])
@pytest.mark.parametrize("name", ["pirat", "chist", "mhist", "phist", "unemp", "insurance"])
def test_the_verdict_is_that_of_evidentlys_own_report(files: Files, name: str, rows: int) -> None:
    """On both sides of the 1,000 rows at which Evidently turns from tests to distances."""
    applications = pd.read_csv(HMDA).sort_values("lvrat")[name]
    reference, current = applications[:rows], applications[rows : rows + 500]
    test = column(files, reference, current).test
    assert test is not None
    method, score, threshold, status = _evidentlys_report(
        reference, current, numeric=reference.dtype.kind in "if"
    )
    assert test == DriftTest(method=method, score=score, threshold=threshold, drifted=status == "FAIL")


def test_nothing_is_sent_anywhere(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise AssertionError("a connection")

    monkeypatch.setattr(socket.socket, "connect", refused)
    assert column(files, [1.5, 2.5] * 30, ["a", "b"] * 30).test is not None


def test_many_categories_take_no_quadratic_time(files: Files) -> None:
    found = column(files, [f"a{n}" for n in range(20_000)], [f"b{n}" for n in range(20_000)])
    assert found.new_categories == 20_000
    assert found.test is not None
    assert found.test.drifted


NUMBERS = st.lists(
    st.one_of(st.none(), st.integers(-5, 5), st.floats(-10, 10), st.sampled_from([0.0, math.inf, -math.inf])),
    min_size=1,
    max_size=40,
)
CATEGORIES = st.lists(
    st.one_of(st.none(), st.sampled_from(["a", "b", "c", "", "é"])), min_size=1, max_size=40
)
SAMPLES = st.one_of(st.tuples(NUMBERS, NUMBERS), st.tuples(CATEGORIES, CATEGORIES))


@settings(max_examples=60, deadline=None)
@given(samples=SAMPLES, random=st.randoms(use_true_random=False))
def test_psi_is_at_least_0_and_blind_to_the_order_of_rows(
    new_files: Callable[[], Files], samples: tuple[list[Any], list[Any]], random: Any
) -> None:
    files = new_files()
    once = psi(files, *samples)
    assert once == "NaN" or once >= 0
    shuffled = [random.sample(side, len(side)) for side in samples]
    assert psi(files, *shuffled) == (once if once == "NaN" else pytest.approx(once))


@settings(max_examples=40, deadline=None)
@given(sample=st.one_of(NUMBERS, CATEGORIES))
def test_identical_data_have_a_psi_of_0_and_no_drift(
    new_files: Callable[[], Files], sample: list[Any]
) -> None:
    files = new_files()
    found = column(files, sample, sample)
    assert found.psi is not None
    assert found.psi.value == ("NaN" if found.psi.sample_size == 0 else 0.0)
    assert found.new_categories == 0
    assert found.test is None or not found.test.drifted


CELL = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**62), 2**62), st.floats(width=64), st.text(max_size=3)
)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_tables_give_a_section_or_an_error_of_ours(
    new_files: Callable[[], Files], data: st.DataObject
) -> None:
    def table() -> pd.DataFrame:
        size = data.draw(st.integers(1, 5))
        names = data.draw(st.lists(st.sampled_from(["x", "y", "z"]), min_size=1, unique=True))
        return pd.DataFrame({name: data.draw(st.lists(CELL, min_size=size, max_size=size)) for name in names})

    files = new_files()
    files.write("reference.csv", table())
    files.write("current.csv", table())
    try:
        drift = collect(files, reference="reference.csv", current="current.csv").sections["drift"]
    except MandateError:
        return
    again = Drift.model_validate_json(drift.model_dump_json())
    assert 0 <= float(again.drifted_share.value) <= 1
