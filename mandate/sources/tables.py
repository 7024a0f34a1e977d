"""Reads CSV and Parquet tables strictly: what a reader could understand in two ways is refused.

CSV is UTF-8 with commas, double quotes and one header line. Empty cells, `NaN` and `nan` are nulls, and
nothing else is: a group called `NA` or `None` stays a group.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Hashable, Iterable
from pathlib import PurePath
from typing import TYPE_CHECKING

from mandate.engine.errors import BadInput

if TYPE_CHECKING:
    import pandas

_NULLS = ["", "NaN", "nan"]
_SHOWN = 80


def read_table(content: bytes, location: str) -> pandas.DataFrame:
    """The table in a file's bytes; the location's suffix says the format (`.csv`, `.parquet`).

    A named index of a Parquet file becomes columns, an unnamed one is dropped. `BadInput` if there is no row,
    a column twice or without a name, a row with too few or too many cells, or no table at all.
    """
    suffix = PurePath(location).suffix.lower()
    if suffix == ".csv":
        frame = _csv(content, location)
    elif suffix == ".parquet":
        frame = _parquet(content, location)
    else:
        raise BadInput(
            "it is neither .csv nor .parquet",
            where=location,
            next_step="Write the table in one of the two formats",
        )
    if frame.empty:
        raise BadInput("the table has no rows", where=location, next_step="Write the rows")
    return frame


def _csv(content: bytes, location: str) -> pandas.DataFrame:
    import pandas as pd
    import pyarrow as pa
    from pyarrow import csv as arrow

    try:
        content.decode("utf-8-sig")
        header = next(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True), [])
        _check_names(header, location)
        # pandas fills short rows with nulls and takes a long row's first cell for an index: Arrow counts.
        reader = arrow.open_csv(
            io.BytesIO(content),
            parse_options=arrow.ParseOptions(newlines_in_values=True),
            convert_options=arrow.ConvertOptions(column_types=dict.fromkeys(header, pa.binary())),
        )
        for _ in reader:
            pass
        return pd.read_csv(
            io.BytesIO(content),
            encoding="utf-8-sig",
            keep_default_na=False,
            na_values=_NULLS,
            index_col=False,
            low_memory=False,
        )
    except (UnicodeDecodeError, csv.Error, pa.ArrowInvalid, pd.errors.ParserError, ValueError) as error:
        # The errors' own text may quote a row.
        raise BadInput(
            "it is not a CSV table with the same number of cells in every row",
            where=location,
            next_step="Write UTF-8 with commas and one header line",
        ) from error


def _parquet(content: bytes, location: str) -> pandas.DataFrame:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        file = parquet.ParquetFile(io.BytesIO(content))
        _check_names(file.schema_arrow.names, location)
        frame: pandas.DataFrame = file.read().to_pandas()
    except (pa.ArrowException, OSError, ValueError, TypeError) as error:
        raise BadInput(
            "it is not a Parquet table that pandas can hold",
            where=location,
            next_step="Write the table again",
        ) from error
    named = [name for name in frame.index.names if name is not None]
    unnamed: list[Hashable] = [level for level, name in enumerate(frame.index.names) if name is None]
    if named and unnamed:
        frame = frame.droplevel(unnamed)
    return frame.reset_index(drop=not named)


def _check_names(names: Iterable[str], location: str) -> None:
    counted = Counter(names)
    if not counted or "" in counted:
        raise BadInput("a column has no name", where=location, next_step="Name every column in the header")
    twice = sorted(name for name, count in counted.items() if count > 1)
    if twice:
        raise BadInput(
            f"the column {twice[0][:_SHOWN]!a} stands twice",
            where=location,
            next_step="Write each column once",
        )
