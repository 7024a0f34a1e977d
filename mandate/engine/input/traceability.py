"""What the model was made from: the seed record."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import StringConstraints

from .base import EACH_NAME_ONCE, Frozen, Name, Sha256, UtcTime
from .registered import NamedValue

GitCommit = Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{40}|[0-9a-f]{64})\z")]
"""A commit's whole name, SHA-1 or SHA-256."""


class Data(Frozen):
    """The training data."""

    version: str | None = None
    sha256: Sha256 | None = None
    source: str | None = None
    as_of: UtcTime | None = None
    """The instant that the data describe: the latest record in them."""


class Code(Frozen):
    """The training code."""

    repository: str | None = None
    git_commit: GitCommit | None = None
    path: str | None = None
    dirty: bool | None = None
    """Whether the work tree differed from the commit; `None` if nobody said."""


class Environment(Frozen):
    """Where training ran."""

    container_image_digest: str | None = None
    lock_file_sha256: Sha256 | None = None
    python: str | None = None


class Output(Frozen):
    """What training produced."""

    model_sha256: Sha256 | None = None
    """Root digest of the artifact."""


class Verification(Frozen):
    """A statement of the record that was held against the thing itself."""

    name: Name
    """`git_commit_exists`, `training_code_matches_commit`, `data_sha256` or `lock_file_sha256`."""
    result: Literal["verified", "refuted", "not_verifiable"]
    detail: str


class Provenance(Frozen):
    """The record as it was found. What is absent is `None`: whether that may be, policies say."""

    run_id: str | None = None
    data: Data = Data()
    code: Code = Code()
    hyperparameters: tuple[NamedValue, ...] = ()
    environment: Environment = Environment()
    output: Output = Output()
    verifications: Annotated[tuple[Verification, ...], EACH_NAME_ONCE] = ()
