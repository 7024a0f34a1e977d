"""95 % confidence intervals of proportions, of their difference, ratio and mean.

Two proportions are of independent groups. An interval between the groups with the most extreme rates is read
as if these two had been chosen beforehand: with many groups it is somewhat too narrow.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from .figures import Interval

LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Proportion:
    """`count` of `size` rows; `size` is at least 1."""

    count: int
    size: int

    @property
    def rate(self) -> float:
        """In 0 … 1."""
        return self.count / self.size

    def wilson(self) -> tuple[float, float]:
        """The Wilson score limits (Wilson, JASA 22, 1927)."""
        from statsmodels.stats.proportion import proportion_confint

        lower, upper = proportion_confint(self.count, self.size, alpha=1 - LEVEL, method="wilson")
        # Rounding may put a limit on the wrong side of the rate at 0 and 1, where both are the same number.
        return min(float(lower), self.rate), max(float(upper), self.rate)


def of_rate(proportion: Proportion) -> Interval | None:
    """Wilson score; `None` where there is no row."""
    if proportion.size == 0:
        return None
    lower, upper = proportion.wilson()
    return Interval(lower=lower, upper=upper, level=LEVEL, method="Wilson score")


def of_difference(high: Proportion, low: Proportion) -> Interval:
    """Of `high.rate - low.rate`, at least 0 (Newcombe, Statistics in Medicine 17, 1998, method 10)."""
    from statsmodels.stats.proportion import confint_proportions_2indep

    lower, upper = confint_proportions_2indep(
        high.count, high.size, low.count, low.size, compare="diff", method="newcomb", alpha=1 - LEVEL
    )
    return Interval(
        lower=max(0.0, float(lower)),
        upper=min(1.0, float(upper)),
        level=LEVEL,
        method="Newcombe, between the extreme groups",
    )


def of_ratio(low: Proportion, high: Proportion) -> Interval:
    """Of `low.rate / high.rate`, which is at most 1; `high.rate` is over 0.

    MOVER-R from the Wilson limits (Donner and Zou, Statistical Methods in Medical Research 21, 2012), written
    so that nothing is divided by zero. The methods of statsmodels are of no use where a rate is 0 or 1:
    `score` fails and `log-adjusted` has no width.
    """
    (low_lower, low_upper), (high_lower, high_upper) = low.wilson(), high.wilson()
    product = low.rate * high.rate
    lower_part = low_lower * (2 * low.rate - low_lower)
    lower_root = math.sqrt(max(0.0, product**2 - lower_part * high_upper * (2 * high.rate - high_upper)))
    high_part = high_lower * (2 * high.rate - high_lower)
    upper_root = math.sqrt(max(0.0, product**2 - low_upper * (2 * low.rate - low_upper) * high_part))
    return Interval(
        lower=0.0 if low.count == 0 else lower_part / (product + lower_root),
        upper=min(1.0, (product + upper_root) / high_part),
        level=LEVEL,
        method="MOVER-R from Wilson scores, between the extreme groups",
    )


def of_mean(first: Proportion, second: Proportion) -> Interval:
    """Of the mean: MOVER from the Wilson limits (Zou and Donner, Statistics in Medicine 27, 2008)."""
    limits = first.wilson(), second.wilson()
    mean = (first.rate + second.rate) / 2
    below = math.hypot(first.rate - limits[0][0], second.rate - limits[1][0]) / 2
    above = math.hypot(limits[0][1] - first.rate, limits[1][1] - second.rate) / 2
    return Interval(
        lower=max(0.0, mean - below),
        upper=min(1.0, mean + above),
        level=LEVEL,
        method="MOVER from Wilson scores",
    )
