"""The seed record: from what data, by which code and where the model was made; verified where it can be.

What is absent from the record is absent from the section: whether that may be, policies say. What is there
and not of its form is an error, and so is a field that nobody knows: a misspelt one must not pass for absent.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import AllowInfNan, Field, StringConstraints, TypeAdapter

from mandate.engine.input.base import Frozen, Name, Sha256
from mandate.engine.input.gathering import (
    Document,
    Gathered,
    LocalFile,
    Sources,
    Target,
    digest_of,
    validated,
)
from mandate.engine.input.instants import Instant
from mandate.engine.input.registered import NamedValue
from mandate.engine.input.repository import Repository
from mandate.engine.input.schema import published
from mandate.engine.input.traceability import (
    Code,
    Data,
    Environment,
    GitCommit,
    Output,
    Provenance,
    Verification,
)


class Options(Frozen):
    """`collectors.provenance` in `mandate.yaml`."""

    record: Name = "run:provenance.json"
    """Location of the record, see `schemas/provenance.v1.json`."""
    repository: Name | None = None
    """Folder of a clone of the training code's repository."""
    code: Name | None = None
    """Location of a file that must be the one at the record's `code.path`, in its commit."""
    data: Name | None = None
    """Location of the training data."""
    lock_file: Name | None = None
    """Location of the lock file of the training environment."""


_Text = Annotated[str, Field(min_length=1, max_length=4096)]
_ImageDigest = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}\z")]


class RecordedData(Frozen):
    """The training data."""

    version: _Text | None = None
    sha256: Sha256 | None = None
    """Of the file that was trained on."""
    source: _Text | None = None
    as_of: Instant | None = None
    """The instant that the data describe: that of their latest record."""


class RecordedCode(Frozen):
    """The training code."""

    repository: _Text | None = None
    git_commit: GitCommit | None = None
    """In full."""
    path: _Text | None = None
    """Of the training script, from the repository's root, with `/`."""
    dirty: bool | None = None
    """Whether the work tree differed from the commit."""


class RecordedEnvironment(Frozen):
    """Where training ran."""

    container_image_digest: _ImageDigest | None = None
    lock_file_sha256: Sha256 | None = None
    python: _Text | None = None


class RecordedOutput(Frozen):
    """What training produced."""

    model_sha256: Sha256 | None = None
    """OpenSSF Model Signing root digest of the model's files."""


class Record(Frozen):
    """The record of one training run. Every field may be left out, or null."""

    run_id: _Text | None = None
    data: RecordedData | None = None
    code: RecordedCode | None = None
    hyperparameters: dict[Name, str | int | Annotated[float, AllowInfNan(False)] | bool | None] | None = None
    environment: RecordedEnvironment | None = None
    output: RecordedOutput | None = None


RECORD = TypeAdapter(Record)


class ProvenanceCollector:
    """Collects the section `provenance`."""

    name = "provenance"

    def __init__(self, options: Options, sources: Sources) -> None:
        self._options = options
        self._sources = sources

    def collect(self, target: Target) -> Gathered:
        """The record and what became of its statements. `SourceMissing` if there is no record, or a file that
        the options name is not there; `BadInput` if the record is not as its schema says, or git fails."""
        document = self._sources.document(self._options.record)
        record = validated(document, RECORD)
        options = self._options
        named = {
            name: self._sources.file(place)
            for name in ("code", "data", "lock_file")
            if (place := getattr(options, name))
        }
        code, data = record.code or RecordedCode(), record.data or RecordedData()
        environment = record.environment or RecordedEnvironment()
        verifications = (
            *self._code(code, named.get("code")),
            _digest("data_sha256", "data", data.sha256, named.get("data")),
            _digest("lock_file_sha256", "lock_file", environment.lock_file_sha256, named.get("lock_file")),
        )
        section = Provenance(
            run_id=record.run_id,
            data=Data(**data.model_dump()),
            code=Code(**code.model_dump()),
            hyperparameters=_hyperparameters(record),
            environment=Environment(**environment.model_dump()),
            output=Output(**(record.output or RecordedOutput()).model_dump()),
            verifications=verifications,
        )
        read: tuple[Document | LocalFile, ...] = (document, *named.values())
        return Gathered(
            {"provenance": section},
            ", ".join(one.location for one in read),
            digest_of(*(one.sha256 for one in read)),
        )

    def _code(self, code: RecordedCode, local: LocalFile | None) -> Iterator[Verification]:
        exists, matches = "git_commit_exists", "training_code_matches_commit"
        location, commit = self._options.repository, code.git_commit
        if commit is None or location is None:
            why = _not_recorded("code.git_commit") if commit is None else _not_set("repository")
            yield Verification(name=exists, result="not_verifiable", detail=why)
            yield Verification(name=matches, result="not_verifiable", detail=why)
            return
        repository = self._sources.repository(location)
        if not repository.has(commit):
            absent: Literal["refuted", "not_verifiable"] = (
                "not_verifiable" if repository.is_shallow() else "refuted"
            )
            shallow = ", which is a shallow clone" if absent == "not_verifiable" else ""
            yield Verification(
                name=exists, result=absent, detail=f"{location} has no commit {commit}{shallow}"
            )
            yield Verification(
                name=matches, result="not_verifiable", detail=f"{location} has no commit {commit}"
            )
            return
        yield Verification(name=exists, result="verified", detail=f"{location} has the commit {commit}")
        yield _training_code(matches, repository, commit, code.path, local)


def _training_code(
    name: str, repository: Repository, commit: str, path: str | None, local: LocalFile | None
) -> Verification:
    if path is None:
        return Verification(name=name, result="not_verifiable", detail=_not_recorded("code.path"))
    shown = ascii(path)
    content = repository.file(commit, path)
    if content is None:
        return Verification(name=name, result="refuted", detail=f"the commit {commit} has no file {shown}")
    if local is None:
        return Verification(name=name, result="verified", detail=f"the commit {commit} has the file {shown}")
    if local.path.read_bytes() != content:
        return Verification(
            name=name,
            result="refuted",
            detail=f"{local.location} is not the file {shown} of the commit {commit}",
        )
    return Verification(
        name=name, result="verified", detail=f"{local.location} is the file {shown} of the commit {commit}"
    )


def _digest(name: str, option: str, recorded: str | None, file: LocalFile | None) -> Verification:
    if recorded is None:
        field = {"data": "data.sha256", "lock_file": "environment.lock_file_sha256"}[option]
        return Verification(name=name, result="not_verifiable", detail=_not_recorded(field))
    if file is None:
        return Verification(name=name, result="not_verifiable", detail=_not_set(option))
    if file.sha256 != recorded:
        return Verification(
            name=name, result="refuted", detail=f"{file.location} has SHA-256 {file.sha256}, not {recorded}"
        )
    return Verification(name=name, result="verified", detail=f"{file.location} has SHA-256 {recorded}")


def _not_recorded(field: str) -> str:
    return f"the record has no {field}"


def _not_set(option: str) -> str:
    return f"mandate.yaml has no collectors.provenance.{option}"


def _hyperparameters(record: Record) -> tuple[NamedValue, ...]:
    """Sorted by name; text as it is, anything else as JSON."""
    values = record.hyperparameters or {}
    return tuple(
        NamedValue(name=name, value=value if isinstance(value, str) else json.dumps(value))
        for name, value in sorted(values.items())
    )


def schema() -> dict[str, Any]:
    """JSON Schema of the record, as published in `schemas/provenance.v1.json`."""
    return published("provenance", RECORD.json_schema())
