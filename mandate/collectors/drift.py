"""How the current data differ from the reference, column by column.

The population stability index is computed here, for Evidently's bins are cut over both samples: one far value
in the current data puts all others into one bin. The verdict of drift is Evidently's own: its own choice of
test, its own threshold. Evidently passes over a column that is gone and over nulls, so both are counted here.
Neither the index nor the shares carry an interval: they describe these two tables.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from mandate.engine.errors import BadInput
from mandate.engine.input.base import Frozen, Name
from mandate.engine.input.figures import Figure, Origin
from mandate.engine.input.gathering import Gathered, Sources, Table, Target, digest_of
from mandate.engine.input.quality import Drift, DriftedColumn, DriftTest
from mandate.engine.input.subject import Action

if TYPE_CHECKING:
    import numpy
    import pandas
    from numpy.typing import NDArray

METHOD = (
    "population stability index over the values that are not null, natural logarithm, shares of at least "
    "0.0001; a bin for each category or whole number (of at most 20) of the reference and one for all "
    "others; other numbers in a bin for each value that makes up a tenth of the reference, the rest cut at "
    "its deciles"
)
_LEAST_SHARE = 0.0001
_MOST_WHOLE_NUMBERS = 20
_HEAVY = 0.1
_MICRO = 1e6
_DECILES = [tenth / 10 for tenth in range(1, 10)]


class Options(Frozen):
    """`collectors.drift` in `mandate.yaml`."""

    reference: Name
    """Location of the table to compare with, such as the training snapshot."""
    current: Name
    """Location of the current table."""
    batch: Name | None = None
    """Location of the table that replaces `current` where the action is `monitor`."""
    columns: Annotated[list[Name], Field(min_length=1)] | None = None
    """The columns to watch; `None`: all of the reference but `ignore`."""
    ignore: list[Name] = Field(default_factory=list)
    """Columns not to watch, such as an id."""

    @model_validator(mode="after")
    def _each_column_once(self) -> Self:
        if self.columns is not None:
            if self.ignore:
                raise ValueError("ignore has no meaning beside columns")
            if len(set(self.columns)) < len(self.columns):
                raise ValueError("a column is named twice in columns")
        return self


class DriftCollector:
    """Collects the section `drift`."""

    name = "drift"

    def __init__(self, options: Options, sources: Sources) -> None:
        self._options = options
        self._sources = sources

    def collect(self, target: Target) -> Gathered:
        """Each watched column in both tables. `SourceMissing` if a table is not there; `BadInput` if a
        setting names a column that neither has, if no column is left to watch, or if Evidently fails."""
        options = self._options
        location = options.current
        if target.action is Action.MONITOR and options.batch is not None:
            location = options.batch
        reference, current = self._sources.table(options.reference), self._sources.table(location)
        pairs = [_pair(name, reference, current) for name in self._watched(reference, current)]
        tests = _tests([pair for pair in pairs if pair.comparable], current.location)
        drifted = sum(1 for pair in pairs if (test := tests.get(pair.name)) is None or test.drifted)
        section = Drift(
            method=METHOD,
            reference_rows=len(reference.frame),
            current_rows=len(current.frame),
            columns=tuple(_column(pair, tests.get(pair.name)) for pair in pairs),
            drifted_share=_figure("drifted_share", drifted / len(pairs), len(current.frame)),
        )
        return Gathered(
            {"drift": section},
            f"{reference.location}, {current.location}",
            digest_of(reference.sha256, current.sha256),
        )

    def _watched(self, reference: Table, current: Table) -> list[str]:
        here = [str(column) for column in reference.frame.columns]
        known = {*here, *map(str, current.frame.columns)}
        for name in self._options.columns or self._options.ignore:
            if name not in known:
                raise BadInput(
                    f"neither table has the column {name!r}",
                    where=f"{reference.location}, {current.location}",
                    next_step="Correct collectors.drift in mandate.yaml",
                )
        watched = self._options.columns or [name for name in here if name not in self._options.ignore]
        if not watched:
            raise BadInput(
                "no column is left to watch",
                where=reference.location,
                next_step="Shorten collectors.drift.ignore in mandate.yaml",
            )
        return watched


@dataclass(frozen=True, slots=True, eq=False)
class _Pair:
    """A column in both tables without its nulls, of one kind. A side is `None` where the column is not."""

    name: str
    kind: Literal["number", "category"]
    reference: pandas.Series[Any] | None
    current: pandas.Series[Any] | None
    reference_nulls: float | None
    current_nulls: float | None
    reference_rows: int
    current_rows: int

    @property
    def comparable(self) -> bool:
        """Whether both sides have a value that a test could take."""
        return _testable(self.reference) and _testable(self.current)


def _testable(values: pandas.Series[Any] | None) -> bool:
    import numpy as np

    if values is None or values.empty:
        return False
    return values.dtype == object or bool(np.isfinite(values).any())


def _pair(name: str, reference: Table, current: Table) -> _Pair:
    sides = [table.frame[name] if name in table.frame.columns else None for table in (reference, current)]
    nulls = [None if side is None else float(side.isna().mean()) for side in sides]
    present = [None if side is None else side.dropna() for side in sides]
    kinds = {_kind(values) for values in present if values is not None and not values.empty}
    kind: Literal["number", "category"] = "category"
    if len(kinds) == 1 and kinds <= {"number", "time"}:
        kind = "number"
    taken = _numbers if kind == "number" else _categories
    values = [None if side is None else taken(side) for side in present]
    return _Pair(
        name=name,
        kind=kind,
        reference=values[0],
        current=values[1],
        reference_nulls=nulls[0],
        current_nulls=nulls[1],
        reference_rows=len(reference.frame),
        current_rows=len(current.frame),
    )


def _kind(values: pandas.Series[Any]) -> str:
    """What the values are: a column of other kinds on the two sides is compared as text."""
    from pandas.api import types

    dtype = values.dtype
    if types.is_bool_dtype(dtype) or types.is_complex_dtype(dtype):
        return "category"
    if types.is_numeric_dtype(dtype) or types.infer_dtype(values) == "decimal":
        return "number"
    return "time" if types.is_datetime64_any_dtype(dtype) or types.is_timedelta64_dtype(dtype) else "category"


def _numbers(values: pandas.Series[Any]) -> pandas.Series[Any]:
    """As doubles; an instant as the seconds since 1970, a duration as seconds."""
    import numpy as np
    import pandas as pd
    from pandas.api import types

    if types.is_datetime64_any_dtype(values.dtype):
        instants = pd.to_datetime(values, utc=True).dt.tz_localize(None)
        return pd.Series(instants.to_numpy().astype("datetime64[us]").astype(np.int64) / _MICRO)
    if types.is_timedelta64_dtype(values.dtype):
        return pd.Series(values.to_numpy().astype("timedelta64[us]").astype(np.int64) / _MICRO)
    return pd.Series(values.to_numpy(dtype=np.float64))


def _categories(values: pandas.Series[Any]) -> pandas.Series[Any]:
    """As text; a whole number is the same text in a column of floats."""
    import pandas as pd

    return pd.Series([_text(value) for value in values.tolist()], dtype=object)


def _text(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _column(pair: _Pair, test: DriftTest | None) -> DriftedColumn:
    reference, current = pair.reference, pair.current
    psi, increase, new = None, None, 0
    if reference is not None and current is not None:
        bins = _bins(reference) if len(reference) else None
        value = math.nan
        if bins is not None and len(current):
            value = _index(bins.shares(reference), bins.shares(current))
        psi = _figure("psi", value, len(reference) + len(current))
        if bins is not None and isinstance(bins, _Values):
            new = len(set(current.unique()) - set(bins.values))
        if pair.reference_nulls is not None and pair.current_nulls is not None:
            rise = pair.current_nulls - pair.reference_nulls
            increase = _figure("null_rate_increase", rise, pair.reference_rows + pair.current_rows)
    return DriftedColumn(
        name=pair.name,
        in_reference=reference is not None,
        in_current=current is not None,
        psi=psi,
        test=test,
        null_rate_reference=_rate("null_rate_reference", pair.reference_nulls, pair.reference_rows),
        null_rate_current=_rate("null_rate_current", pair.current_nulls, pair.current_rows),
        null_rate_increase=increase,
        new_categories=new,
    )


def _figure(name: str, value: float, rows: int) -> Figure:
    return Figure(name=name, value=value, sample_size=rows, origin=Origin.MEASURED)


def _rate(name: str, value: float | None, rows: int) -> Figure | None:
    return None if value is None else _figure(name, value, rows)


@dataclass(frozen=True, slots=True)
class _Values:
    """A bin for each value that the reference has, and one for all others."""

    values: Sequence[Any]

    def shares(self, sample: pandas.Series[Any]) -> NDArray[numpy.float64]:
        import numpy as np

        counts = sample.value_counts().reindex(list(self.values), fill_value=0).to_numpy()
        return np.append(counts, len(sample) - counts.sum()) / len(sample)


@dataclass(frozen=True, slots=True)
class _Deciles:
    """A bin for each heavy value; the rest in the cells between `edges`, of which the outer are unbounded."""

    heavy: Sequence[float]
    edges: Sequence[float]
    """Ascending and different; a cell holds its upper edge."""

    def shares(self, sample: pandas.Series[Any]) -> NDArray[numpy.float64]:
        import numpy as np

        rest = sample[~sample.isin(list(self.heavy))]
        cells = np.searchsorted(np.array(self.edges), rest.to_numpy(), side="left")
        counts = [int((sample == value).sum()) for value in self.heavy]
        return np.append(counts, np.bincount(cells, minlength=len(self.edges) + 1)) / len(sample)


def _bins(reference: pandas.Series[Any]) -> _Values | _Deciles:
    """How to cut, from the reference alone; `reference` has a value."""
    import numpy as np

    counts = reference.value_counts()
    if reference.dtype == object:
        return _Values(list(counts.index))
    finite = reference[np.isfinite(reference)]
    if (
        len(counts) <= _MOST_WHOLE_NUMBERS
        and len(finite) == len(reference)
        and (finite == np.floor(finite)).all()
    ):
        return _Values(list(counts.index))
    heavy = [
        float(value)
        for value, count in zip(counts.index, counts, strict=True)
        if count >= _HEAVY * len(reference)
    ]
    rest = finite[~finite.isin(heavy)]
    # Edges are values of the reference: nothing is interpolated between numbers that may be very large.
    edges = np.unique(np.quantile(rest, _DECILES, method="inverted_cdf")) if len(rest) else np.array([])
    return _Deciles(heavy, edges.tolist())


def _index(reference: NDArray[numpy.float64], current: NDArray[numpy.float64]) -> float:
    """Sum of (p - q) ln (p / q) over the bins, none negative; a smaller share counts as `_LEAST_SHARE`."""
    import numpy as np

    p, q = np.maximum(reference, _LEAST_SHARE), np.maximum(current, _LEAST_SHARE)
    return float(((p - q) * np.log(p / q)).sum())


def _tests(pairs: Sequence[_Pair], location: str) -> dict[str, DriftTest]:
    """Evidently's own verdict on each column; a column for which it finds no number is left out."""
    found = {}
    for pair in pairs:
        try:
            test = _evidently(pair)
        except Exception as error:  # whatever it stumbles over; its own text may quote values
            raise BadInput(
                f"Evidently cannot test the column {pair.name!r} ({type(error).__name__})",
                where=location,
                next_step="Look for extreme values in it, or add it to collectors.drift.ignore",
            ) from error
        if test is not None:
            found[pair.name] = test
    return found


def _evidently(pair: _Pair) -> DriftTest | None:
    """The test that Evidently's `ValueDrift` would choose, and its verdict; `None` if it finds no number.

    Called below Evidently's reports: they also draw histograms, which fail on large numbers and take time
    that is quadratic in new categories.
    """
    import numpy as np

    with warnings.catch_warnings():
        # Evidently uses NumPy's old names, and divides by the zero counts of new categories.
        warnings.simplefilter("ignore")
        from evidently.legacy.calculations.stattests import get_stattest
        from evidently.legacy.core import ColumnType

        kind = ColumnType.Numerical if pair.kind == "number" else ColumnType.Categorical
        # As Evidently's own reports do: infinities are left out.
        reference, current = (
            sample[np.isfinite(sample)] if pair.kind == "number" else sample
            for sample in (pair.reference, pair.current)
            if sample is not None
        )
        test = get_stattest(reference, current, kind, None)
        result = test(reference, current, kind, None)
    score = float(result.drift_score)
    if math.isnan(score):
        return None
    return DriftTest(
        method=test.display_name,
        score=score,
        threshold=float(result.actual_threshold),
        drifted=bool(result.drifted),
    )
