"""The current batch's columns, beside the model's signature and the training snapshot.

Types of tables have MLflow's names, as MLflow itself infers them from the values, so that they can be
compared with a signature. A column whose values are of no single type is `Any`.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from mandate.engine.input.base import Frozen, Name
from mandate.engine.input.gathering import Gathered, Sources, Table, Target, digest_of
from mandate.engine.input.quality import DataColumn, DataSchema
from mandate.engine.input.registered import Signature
from mandate.engine.input.subject import Action

if TYPE_CHECKING:
    import pandas


class Options(Frozen):
    """`collectors.data_schema` in `mandate.yaml`."""

    current: Name
    """Location of the current table."""
    batch: Name | None = None
    """Location of the table that replaces `current` where the action is `monitor`."""
    training: Name | None = None
    """Location of the training snapshot."""
    ignore: list[Name] = []
    """Columns that no table is judged by, such as an id or the outcome."""


class SignedSources(Sources, Protocol):
    """Sources of a version that may have a signature."""

    def signature(self) -> Signature | None:
        """What the model takes and gives; `None` if it does not say."""


class DataSchemaCollector:
    """Collects the section `data_schema`."""

    name = "data_schema"

    def __init__(self, options: Options, sources: SignedSources) -> None:
        self._options = options
        self._sources = sources

    def collect(self, target: Target) -> Gathered:
        """Columns in the tables' own order. `SourceMissing` if a table that is named is not there."""
        options = self._options
        monitored = target.action is Action.MONITOR and options.batch is not None
        location = options.batch if monitored and options.batch is not None else options.current
        tables = [self._sources.table(location)]
        if options.training is not None:
            tables.append(self._sources.table(options.training))
        columns = [_columns(table, options.ignore) for table in tables]
        signature = self._sources.signature()
        section = DataSchema(
            current=columns[0],
            signature=None if signature is None else signature.inputs,
            training=columns[1] if options.training is not None else None,
        )
        return Gathered(
            {"data_schema": section},
            ", ".join(table.location for table in tables),
            digest_of(*(table.sha256 for table in tables)),
        )


def _columns(table: Table, ignored: list[str]) -> tuple[DataColumn, ...]:
    frame = table.frame
    return tuple(
        DataColumn(name=str(name), type=_type(frame[[name]]), nullable=bool(frame[name].isna().any()))
        for name in frame.columns
        if name not in ignored
    )


def _type(column: pandas.DataFrame) -> str:
    """MLflow's name of the one column's type."""
    from mlflow.models import infer_signature

    with _quiet():
        inferred = infer_signature(column).inputs
    return repr(inferred.inputs[0].type)


@contextmanager
def _quiet() -> Iterator[None]:
    """MLflow warns of integers that may be missing later, and logs columns that it cannot type: both are said
    by the section itself, as `nullable` and `Any`."""
    logger = logging.getLogger("mlflow")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
