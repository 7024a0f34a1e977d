from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from mandate.collectors.data_schema import DataSchemaCollector, Options
from mandate.engine.errors import SourceMissing
from mandate.engine.input.gathering import Gathered, digest_of
from mandate.engine.input.quality import DataColumn, DataSchema
from mandate.engine.input.registered import Column, Signature
from mandate.sources import VersionSources
from tests.collectors.local_sources import MONITORED, TARGET, local
from tests.mlflow_fixtures import Store

pytestmark = pytest.mark.xdist_group("mlflow")

SIGNATURE = Signature(inputs=(Column(name="income", type="double"),), outputs=())


def column(name: str, type_: str, *, nullable: bool = False) -> DataColumn:
    return DataColumn(name=name, type=type_, nullable=nullable)


def test_the_batch_stands_beside_signature_and_snapshot(tmp_path: Path) -> None:
    (tmp_path / "now.csv").write_text("id,income,term,late,region\n1,1.5,12,true,NA\n2,,24,false,\n")
    (tmp_path / "then.csv").write_text("income,term\n1,12\n")
    sources = local(tmp_path, SIGNATURE)
    options = Options(current="now.csv", training="then.csv", ignore=["id"])
    assert DataSchemaCollector(options, sources).collect(TARGET) == Gathered(
        {
            "data_schema": DataSchema(
                current=(
                    column("income", "double", nullable=True),
                    column("term", "long"),
                    column("late", "boolean"),
                    column("region", "string", nullable=True),
                ),
                signature=SIGNATURE.inputs,
                training=(column("income", "long"), column("term", "long")),
            )
        },
        "now.csv, then.csv",
        digest_of(sources.file("now.csv").sha256, sources.file("then.csv").sha256),
    )


def test_types_have_mlflows_names(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "integer": pd.Series([1, 2], dtype="int32"),
            "float": pd.Series([1, 2], dtype="float32"),
            "time": pd.to_datetime(pd.Series(["2026-01-01", None])),
            "binary": [b"a", b"b"],
            "category": pd.Series(["a", "b"], dtype="category"),
            "list": [[1.0], [2.0]],
            "span": pd.to_timedelta(pd.Series([1, 2])),
            "nothing": pd.Series([None, None], dtype=object),
        }
    )
    frame.to_parquet(tmp_path / "t.parquet")
    section = (
        DataSchemaCollector(Options(current="t.parquet"), local(tmp_path))
        .collect(TARGET)
        .sections["data_schema"]
    )
    assert section == DataSchema(
        current=(
            column("integer", "integer"),
            column("float", "float"),
            column("time", "datetime", nullable=True),
            column("binary", "binary"),
            column("category", "string"),
            column("list", "Array(double)"),
            column("span", "Any"),
            column("nothing", "Any", nullable=True),
        ),
        signature=None,
        training=None,
    )


def test_in_monitoring_the_batch_is_what_is_current(tmp_path: Path) -> None:
    (tmp_path / "now.csv").write_text("a\n1\n")
    (tmp_path / "batch.csv").write_text("b\n1\n")
    collector = DataSchemaCollector(Options(current="now.csv", batch="batch.csv"), local(tmp_path))
    assert collector.collect(TARGET).sections["data_schema"].current == (column("a", "long"),)
    assert collector.collect(MONITORED).sections["data_schema"].current == (column("b", "long"),)


def test_a_table_that_is_not_there_is_missing(tmp_path: Path) -> None:
    (tmp_path / "now.csv").write_text("a\n1\n")
    for options in (Options(current="x.csv"), Options(current="now.csv", training="run:data/x.csv")):
        with pytest.raises(SourceMissing):
            DataSchemaCollector(options, local(tmp_path)).collect(TARGET)


def test_the_training_table_of_a_real_run_fits_the_real_signature(store: Store, tmp_path: Path) -> None:
    with store.registry() as registry:
        sources = VersionSources(registry, registry.resolve("models:/credit/1"), folder=tmp_path)
        options = Options(current="run:data/training.csv")
        section = DataSchemaCollector(options, sources).collect(TARGET).sections["data_schema"]
    assert [(one.name, one.type) for one in section.current] == [
        (one.name, one.type) for one in section.signature
    ]
