"""Measured numbers, and who says so."""

from __future__ import annotations

import math
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from .base import Frozen, Name


class Origin(StrEnum):
    """Who stands behind a fact."""

    MEASURED = "measured"
    """Mandate computed it from data that it digested."""
    REPORTED = "reported"
    """Somebody logged or sent it."""


def _name_what_is_not_finite(value: object) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


Number = Annotated[
    Annotated[float, Field(allow_inf_nan=False)] | Literal["NaN", "Infinity", "-Infinity"],
    BeforeValidator(_name_what_is_not_finite),
]
"""A finite double, or the name of what is not finite: policies demand numbers, so a name never passes."""


class Interval(Frozen):
    """A confidence interval of an estimate."""

    lower: Number
    upper: Number
    level: Annotated[float, Field(gt=0, lt=1)]
    """Nominal coverage, such as 0.95."""
    method: Name
    """How it was computed, such as `Wilson score`."""


class Figure(Frozen):
    """One number with what is needed to judge it."""

    name: Name
    value: Number
    sample_size: Annotated[int, Field(ge=0)]
    """Rows that the number was computed from."""
    origin: Origin
    interval: Interval | None = None
