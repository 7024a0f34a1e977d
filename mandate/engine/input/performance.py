"""How well the model predicts, alone and against the model that it would replace."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from .base import EACH_NAME_ONCE, Frozen, Name, Sha256
from .figures import Figure


class Rows(Frozen):
    """Which rows something was computed on."""

    count: Annotated[int, Field(ge=0)]
    sha256: Sha256
    """Digest of the rows' ids and labels: two tables over the same rows have the same one."""


class Baseline(Frozen):
    """The model to compare with, measured on the same rows."""

    status: Literal["measured"] = "measured"
    uri: Name
    metrics: Annotated[tuple[Figure, ...], EACH_NAME_ONCE]


class NoBaseline(Frozen):
    """There is no model to compare with, and why: a first version has none."""

    status: Literal["none"] = "none"
    reason: str


class Performance(Frozen):
    """Named metrics on the hold-out. The baseline's are on the same rows, or there is no section."""

    rows: Rows
    metrics: Annotated[tuple[Figure, ...], EACH_NAME_ONCE]
    baseline: Annotated[Baseline | NoBaseline, Field(discriminator="status")]
