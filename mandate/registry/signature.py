"""What a model takes and gives, read from its `MLmodel` file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mandate.engine.errors import BadInput
from mandate.engine.input.registered import Column, Signature

from . import library

FILE = "MLmodel"


@dataclass(frozen=True, slots=True)
class Description:
    """The parts of an `MLmodel` file that are facts about the model."""

    flavors: tuple[str, ...]
    """Sorted."""
    signature: Signature | None


def describe(folder: Path, *, where: str) -> Description:
    """Read the `MLmodel` in `folder`; a model without one has no flavours and no signature.

    `BadInput` if the file is there and is not what MLflow writes.
    """
    file = folder / FILE
    if not file.is_file():
        return Description(flavors=(), signature=None)
    library.load()
    from mlflow.models import Model

    try:
        model = Model.load(str(file))
        flavors = tuple(sorted(map(str, model.flavors)))
        signature = None if model.signature is None else _signature(model.signature)
    except Exception as error:
        raise BadInput(
            f"its {FILE} file is not what MLflow writes ({type(error).__name__})",
            where=where,
            next_step="Log the model again",
        ) from error
    return Description(flavors, signature)


def _signature(signature: Any) -> Signature:
    return Signature(inputs=_columns(signature.inputs), outputs=_columns(signature.outputs))


def _columns(schema: Any) -> tuple[Column, ...]:
    """Columns, or tensors; one without a name is known by its place, from 0."""
    if schema is None:
        return ()
    return tuple(
        Column(
            name=str(place) if column.name in (None, "") else column.name,
            # The representation names the type as MLflow's documentation does: double, Array(long),
            # Tensor('float32', (-1, 4)).
            type=_type(column),
            required=bool(column.required),
        )
        for place, column in enumerate(schema.inputs)
    )


def _type(column: Any) -> str:
    from mlflow.types import TensorSpec

    if isinstance(column, TensorSpec):
        return repr(TensorSpec(column.type, column.shape))  # without its name, which would be shown, too
    return repr(column.type)
