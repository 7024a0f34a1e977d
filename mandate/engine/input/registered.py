"""What the model registry and the run's artifacts say of a model version."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Annotated

from pydantic import Field, model_validator

from .base import Frozen, Name, Sha256, UtcTime
from .figures import Number, Origin


class NamedValue(Frozen):
    """A tag or parameter as the registry keeps it: text."""

    name: Name
    value: str


class Measurement(Frozen):
    """One point in a logged metric's history."""

    step: int
    time: UtcTime
    value: Number


class LoggedMetric(Frozen):
    """A metric that the training run logged. Only ever *reported*: Mandate did not compute it."""

    name: Name
    value: Number
    """The last logged value."""
    origin: Origin = Origin.REPORTED
    history: tuple[Measurement, ...] = ()
    """In the order of steps, then times."""


class Column(Frozen):
    """A column of a signature."""

    name: Name
    type: Name
    """MLflow's type name: `double`, `long`, `string`, …"""
    required: bool = True


class Signature(Frozen):
    """The columns that the model takes and gives."""

    inputs: tuple[Column, ...]
    outputs: tuple[Column, ...]


class Dataset(Frozen):
    """A dataset input of the run."""

    name: Name
    digest: str
    """MLflow's own short digest: it identifies, it does not prove."""
    source: str
    context: str = ""
    """`training`, `evaluation`, …, as logged."""


class RunSource(Frozen):
    """Who and what produced the run."""

    user: str | None
    git_commit: str | None
    repository: str | None = None


class Model(Frozen):
    """A registered model version and its run."""

    name: Name
    version: Name
    run_id: str | None
    aliases: tuple[str, ...] = ()
    tags: tuple[NamedValue, ...] = ()
    registered_by: str | None
    registered_at: UtcTime
    flavors: tuple[str, ...] = ()
    signature: Signature | None
    parameters: tuple[NamedValue, ...] = ()
    metrics: tuple[LoggedMetric, ...] = ()
    datasets: tuple[Dataset, ...] = ()
    source: RunSource


class ArtifactFile(Frozen):
    """One file of the artifact."""

    path: Name
    """Relative to the artifact's root, with `/`."""
    sha256: Sha256
    size: Annotated[int, Field(ge=0)]
    """Bytes."""


def root_digest(files: Iterable[ArtifactFile]) -> str:
    """SHA-256 over the files' SHA-256 digests (32 bytes each), sorted by the parts of their paths, as in the
    subject of an OpenSSF Model Signing v1.0 statement."""
    in_order = sorted(files, key=lambda file: file.path.split("/"))
    return hashlib.sha256(b"".join(bytes.fromhex(file.sha256) for file in in_order)).hexdigest()


class Artifact(Frozen):
    """The model's files, read and digested."""

    sha256: Sha256
    """OpenSSF Model Signing root digest, see `root_digest`. It covers the files' content in the order of
    their names, not the names themselves: `files` stands beside it."""
    files: Annotated[tuple[ArtifactFile, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _is_the_digest_of_its_files(self) -> Artifact:
        if self.sha256 != root_digest(self.files):
            raise ValueError("sha256 is not the root digest of the files")
        return self

    @classmethod
    def of(cls, files: Iterable[ArtifactFile]) -> Artifact:
        """The artifact that is made of these files."""
        in_order = tuple(sorted(files, key=lambda file: file.path.split("/")))
        return cls(sha256=root_digest(in_order), files=in_order)


class CardSection(Frozen):
    """A section of the model card."""

    name: Name
    words: Annotated[int, Field(ge=0)]
    """Words of text below its heading; 0 for an empty section."""


class Documentation(Frozen):
    """The model card."""

    location: str
    sections: tuple[CardSection, ...]
