"""Joins predictions with labels by id, and refuses everything that would make a figure about other rows.

Two tables over the same rows have the same digest: SHA-256 over one JSON array `[id, label]` a line, sorted
by id, both as text. Without an id column a row is its place in the table, a number. A whole number is the
same text whether its column is of integers or of floats: a null elsewhere in a CSV column makes `7.0` of `7`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from mandate.engine.errors import BadInput
from mandate.engine.input.evaluation import Evaluation, EvaluationTables
from mandate.engine.input.gathering import Sources, Table
from mandate.engine.input.performance import Rows
from mandate.engine.nearest import nearest

if TYPE_CHECKING:
    import numpy
    import pandas
    from numpy.typing import NDArray


def evaluate(
    sources: Sources, tables: EvaluationTables, *, score: str | None = None, attributes: Sequence[str] = ()
) -> Evaluation:
    """Read predictions and labels as `mandate.engine.input.evaluation.Evaluations` says."""
    import numpy as np
    import pandas as pd

    predictions = sources.table(tables.predictions)
    other = tables.labels is not None and tables.labels != tables.predictions
    labels = sources.table(tables.labels) if other and tables.labels is not None else predictions
    places = np.arange(len(predictions.frame))
    ids: list[str] | list[int] = places.tolist()
    if tables.id is not None:  # as it is where labels are another table
        ids = _ids(predictions, tables.id)
        if other:
            places = _places(ids, predictions.location, _ids(labels, tables.id), labels.location)
    label = _column(labels, tables.label).iloc[places]
    truth, predicted = _binary(
        (label, labels.location),
        (_column(predictions, tables.prediction), predictions.location),
        tables.positive,
    )
    further = {}
    for name in attributes:
        labelled = name in labels.frame.columns
        stands = _column(labels, name).iloc[places] if labelled else _column(predictions, name)
        further[name] = stands.reset_index(drop=True)
    read = (predictions, labels) if other else (predictions,)
    return Evaluation(
        rows=Rows(count=len(ids), sha256=_digest(ids, texts(label))),
        truth=truth,
        predicted=predicted,
        scores=_scores(predictions, score) if score is not None else None,
        attributes=pd.DataFrame(further),
        source=", ".join(table.location for table in read),
        sha256=tuple(table.sha256 for table in read),
    )


def texts(values: Iterable[Any]) -> list[str]:
    """Each value as text; a number without a fraction as an integer, whatever its type."""
    return [_text(value) for value in values]


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    # NumPy's floats are no subclasses of float below 64 bits, hence by behaviour and not by type.
    is_integral: Callable[[], bool] | None = getattr(value, "is_integer", None)
    if is_integral is not None and not isinstance(value, int) and is_integral():
        return str(int(value))
    return str(value)


def _column(table: Table, name: str) -> pandas.Series[Any]:
    if name in table.frame.columns:
        return table.frame[name]
    columns = [str(column) for column in table.frame.columns]
    near = nearest(name, columns)
    raise BadInput(
        f"there is no column {name!r}",
        where=table.location,
        next_step=f"Write {near!r}" if near else "Name one of the table's columns in mandate.yaml",
    )


def _ids(table: Table, name: str) -> list[str]:
    column = _column(table, name)
    if missing := int(column.isna().sum()):
        raise BadInput(
            f"{missing} rows have no id in column {name!r}",
            where=table.location,
            next_step="Give each row an id",
        )
    ids = texts(column)
    if twice := len(ids) - len(set(ids)):
        raise BadInput(
            f"{twice} rows repeat an id of column {name!r}",
            where=table.location,
            next_step="Keep one row an id, or name a column that is unique",
        )
    return ids


def _places(ids: list[str], location: str, labelled: list[str], labelled_at: str) -> NDArray[numpy.intp]:
    """Where each id stands among the labels; the two tables must be about the very same rows."""
    import numpy as np

    place = {id_: index for index, id_ in enumerate(labelled)}
    shared = sum(1 for id_ in ids if id_ in place)
    if shared != len(ids) or shared != len(labelled):
        raise BadInput(
            f"its rows are not those of {labelled_at}: {len(ids) - shared} have no label and "
            f"{len(labelled) - shared} labels have no prediction",
            where=location,
            next_step="Predict exactly the labelled rows",
        )
    return np.fromiter((place[id_] for id_ in ids), dtype=np.intp, count=len(ids))


def _binary(
    label: tuple[pandas.Series[Any], str], prediction: tuple[pandas.Series[Any], str], positive: Any
) -> tuple[NDArray[numpy.bool_], NDArray[numpy.bool_]]:
    """Which rows are positive in truth, and which are predicted to be."""
    truth, truth_values = _positive(*label, positive)
    predicted, predicted_values = _positive(*prediction, positive)
    values = truth_values | predicted_values
    name = f"{label[0].name!r} and {prediction[0].name!r}"
    if len(values) > 2:  # noqa: PLR2004  (a binary outcome has two values)
        raise BadInput(
            f"the columns {name} have {len(values)} different values between them, not two",
            where=prediction[1],
            next_step="Write labels and predictions of a binary outcome with the same two values",
        )
    if positive not in values:
        raise BadInput(
            f"the positive value {positive!r} is not in the columns {name}",
            where=prediction[1],
            next_step="Set positive to the value that counts as positive, as the table spells it",
        )
    return truth, predicted


def _positive(
    column: pandas.Series[Any], location: str, positive: Any
) -> tuple[NDArray[numpy.bool_], set[Any]]:
    import numpy as np
    import pandas as pd

    try:
        codes, values = pd.factorize(column)
    except TypeError as error:
        raise BadInput(
            f"the column {column.name!r} holds nested values",
            where=location,
            next_step="Keep one value a cell",
        ) from error
    if nulls := int((codes < 0).sum()):
        raise BadInput(
            f"the column {column.name!r} has {nulls} nulls",
            where=location,
            next_step="Leave the rows out of both tables, or say what was predicted",
        )
    plain = values.tolist()
    return np.array([bool(value == positive) for value in plain], dtype=np.bool_)[codes], set(plain)


def _scores(table: Table, name: str) -> NDArray[numpy.float64]:
    import numpy as np
    from pandas.api import types

    column = _column(table, name)
    plain = types.is_float_dtype(column.dtype) or types.is_integer_dtype(column.dtype)
    scores = column.to_numpy(dtype=np.float64, na_value=np.nan) if plain else np.array([np.nan])
    if not np.isfinite(scores).all():
        raise BadInput(
            f"the column {name!r} holds scores that are not finite numbers",
            where=table.location,
            next_step="Write a probability for every row",
        )
    return scores


def _digest(ids: list[str] | list[int], labels: list[str]) -> str:
    digest = hashlib.sha256()
    for row in sorted(zip(ids, labels, strict=True)):
        digest.update(json.dumps(row, separators=(",", ":")).encode() + b"\n")
    return digest.hexdigest()
