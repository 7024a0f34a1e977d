from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.proportion import confint_proportions_2indep

from mandate.engine.input import intervals
from mandate.engine.input.figures import Interval
from mandate.engine.input.intervals import Proportion


def limits(interval: Interval | None) -> tuple[float, float]:
    assert interval is not None
    assert interval.level == 0.95
    assert isinstance(interval.lower, float)
    assert isinstance(interval.upper, float)
    return interval.lower, interval.upper


PROPORTIONS = st.integers(1, 60).flatmap(
    lambda size: st.integers(0, size).map(lambda count: Proportion(count, size))
)


@given(proportion=PROPORTIONS)
def test_the_limits_of_a_rate_solve_wilsons_equation(proportion: Proportion) -> None:
    """Each limit is a rate of which the measured one is 1.96 standard errors away."""
    for limit in limits(intervals.of_rate(proportion)):
        distance = (proportion.rate - limit) ** 2
        assert distance == pytest.approx(
            1.959963984540054**2 * limit * (1 - limit) / proportion.size, abs=1e-9
        )


def test_the_interval_of_a_rate_is_wilsons() -> None:
    # Newcombe, Statistics in Medicine 17 (1998), two-sided intervals for the single proportion, method 3.
    assert limits(intervals.of_rate(Proportion(81, 263))) == pytest.approx((0.2553, 0.3662), abs=6e-5)
    assert limits(intervals.of_rate(Proportion(0, 20))) == pytest.approx((0.0, 0.1611), abs=6e-5)


def test_a_rate_over_no_rows_has_no_interval() -> None:
    assert intervals.of_rate(Proportion(0, 0)) is None


@pytest.mark.parametrize(
    ("high", "low", "expected"),
    [  # Newcombe, Statistics in Medicine 17 (1998), table II, method 10; a lower limit under 0 becomes 0.
        ((56, 70), (48, 80), (0.0524, 0.3339)),
        ((9, 10), (3, 10), (0.1705, 0.8090)),
        ((6, 7), (2, 7), (0.0582, 0.8062)),
        ((5, 56), (0, 29), (0.0, 0.1926)),
        ((0, 10), (0, 10), (0.0, 0.2775)),
        ((10, 10), (0, 20), (0.6791, 1.0)),
    ],
)
def test_the_interval_of_a_difference_is_newcombes(
    high: tuple[int, int], low: tuple[int, int], expected: tuple[float, float]
) -> None:
    found = limits(intervals.of_difference(Proportion(*high), Proportion(*low)))
    assert found == pytest.approx(expected, abs=6e-5)


@pytest.mark.parametrize(
    ("low", "high"), [((48, 80), (56, 70)), ((9, 70), (56, 70)), ((200, 1000), (250, 1000))]
)
def test_the_interval_of_a_ratio_is_near_the_score_interval(
    low: tuple[int, int], high: tuple[int, int]
) -> None:
    expected = confint_proportions_2indep(*low, *high, compare="ratio", method="score")
    assert limits(intervals.of_ratio(Proportion(*low), Proportion(*high))) == pytest.approx(
        expected, abs=0.01
    )


@settings(deadline=None)
@given(one=PROPORTIONS, other=PROPORTIONS)
def test_intervals_hold_their_estimate_and_stay_within_0_and_1(one: Proportion, other: Proportion) -> None:
    low, high = sorted((one, other), key=lambda proportion: proportion.rate)
    found = [
        ((low.rate + high.rate) / 2, intervals.of_mean(one, other)),
        (high.rate - low.rate, intervals.of_difference(high, low)),
    ]
    if high.count:
        found.append((low.rate / high.rate, intervals.of_ratio(low, high)))
    for estimate, interval in found:
        lower, upper = limits(interval)
        assert 0 <= lower <= estimate + 1e-9
        assert estimate - 1e-9 <= upper <= 1
        assert lower < upper


def test_the_mean_of_a_rate_with_itself_is_known_better_than_the_rate() -> None:
    once = limits(intervals.of_rate(Proportion(8, 10)))
    twice = limits(intervals.of_mean(Proportion(8, 10), Proportion(8, 10)))
    # By hand: each limit is as far from 0.8 as Wilson's, divided by the root of 2.
    assert twice == pytest.approx([0.8 + (limit - 0.8) / 2**0.5 for limit in once])
