"""How applications arrive: real rows, stated in the open."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from examples.credit import batches

HMDA = Path(__file__).resolve().parents[2] / "examples/credit/data/hmda.csv"


@pytest.fixture(scope="module")
def hmda() -> pd.DataFrame:
    return batches.applications(HMDA)


def test_every_application_arrives_before_or_after_the_snapshot(hmda: pd.DataFrame) -> None:
    before, after = batches.before_the_snapshot(hmda), batches.after_the_snapshot(hmda)
    assert (len(before), len(after)) == (1904, 476)
    assert sorted([*before["application"], *after["application"]]) == list(range(2, 2382))


def test_a_recession_alters_no_row(hmda: pd.DataFrame) -> None:
    drawn = batches.recession(hmda)
    pd.testing.assert_frame_equal(drawn, hmda.loc[drawn.index])


def test_a_recession_raises_unemployment_and_payments(hmda: pd.DataFrame) -> None:
    drawn = batches.recession(hmda)
    assert drawn["unemp"].mean() > 1.5 * hmda["unemp"].mean()
    assert drawn["pirat"].mean() > 1.1 * hmda["pirat"].mean()


def test_a_recession_is_the_same_at_each_run(hmda: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(batches.recession(hmda), batches.recession(hmda))


def test_the_serving_system_records_neither_outcomes_nor_sensitive_columns(hmda: pd.DataFrame) -> None:
    assert list(batches.as_served(hmda)) == [
        *("pirat", "hirat", "lvrat", "chist", "mhist", "phist", "unemp"),
        *("selfemp", "insurance", "condomin", "hschool"),
    ]
