from __future__ import annotations

import io

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from mandate.engine.errors import BadInput
from mandate.sources.tables import read_table


def written(table: pa.Table) -> bytes:
    buffer = io.BytesIO()
    parquet.write_table(table, buffer)
    return buffer.getvalue()


def test_a_csv_table_is_read() -> None:
    frame = read_table(b'\xef\xbb\xbfid,group,score\n1,"a, b",0.5\n2,NA,\n3,None,NaN\n', "t.csv")
    expected = pd.DataFrame({"id": [1, 2, 3], "group": ["a, b", "NA", "None"], "score": [0.5, None, None]})
    pd.testing.assert_frame_equal(frame, expected)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "a column has no name"),
        (b"a,b\n", "no rows"),
        (b"a,a\n1,2\n", "'a' stands twice"),
        (b"a,,c\n1,2,3\n", "no name"),
        (b"a,b\n1,2\n3\n", "same number of cells"),
        (b"a,b\n1,2\n3,4,5\n", "same number of cells"),
        (b"a,b\n1,2,3\n4,5,6\n", "same number of cells"),
        (b'a,b\n1,"2\n', "same number of cells"),
        (b"a,b\n\xff,1\n", "same number of cells"),
        (b"a", "same number of cells"),
    ],
)
def test_a_csv_that_could_be_read_in_two_ways_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        read_table(content, "t.csv")


def test_no_error_quotes_a_row() -> None:
    with pytest.raises(BadInput) as raised:
        read_table(b"name,income\nAda Lovelace,1\nAda,Lovelace,2\n", "t.csv")
    assert "Ada" not in str(raised.value)


@given(st.binary(max_size=60))
def test_any_bytes_are_a_table_or_bad_input(content: bytes) -> None:
    for name in ("t.csv", "t.parquet"):
        try:
            frame = read_table(content, name)
        except BadInput:
            continue
        assert len(frame) > 0
        assert frame.columns.is_unique


@pytest.mark.parametrize("name", ["t.xlsx", "t", "t.csv.gz"])
def test_another_format_is_refused(name: str) -> None:
    with pytest.raises(BadInput, match=r"neither \.csv nor \.parquet"):
        read_table(b"a\n1\n", name)


def test_a_parquet_table_is_read() -> None:
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", None]})
    pd.testing.assert_frame_equal(read_table(written(pa.Table.from_pandas(frame)), "t.PARQUET"), frame)


def test_a_parquet_column_that_stands_twice_is_refused() -> None:
    table = pa.table([pa.array([1]), pa.array([2])], names=["a", "a"])
    with pytest.raises(BadInput, match="'a' stands twice"):
        read_table(written(table), "t.parquet")


def test_an_empty_parquet_table_is_refused() -> None:
    with pytest.raises(BadInput, match="no rows"):
        read_table(written(pa.table({"a": pa.array([], pa.int64())})), "t.parquet")


def test_a_named_index_becomes_a_column_and_an_unnamed_one_goes() -> None:
    filtered = pd.DataFrame({"a": [1, 2, 3]}).loc[[0, 2]]
    assert list(read_table(written(pa.Table.from_pandas(filtered)), "t.parquet").columns) == ["a"]
    indexed = pd.DataFrame({"id": [7, 8], "a": [1, 2]}).set_index("id")
    assert list(read_table(written(pa.Table.from_pandas(indexed)), "t.parquet").columns) == ["id", "a"]
    both = indexed.set_index(pd.Index([5, 6]), append=True)
    assert list(read_table(written(pa.Table.from_pandas(both)), "t.parquet").columns) == ["id", "a"]
