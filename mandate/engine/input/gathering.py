"""What a collector is given and what it gives back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from pydantic import TypeAdapter, ValidationError

from ..digests import document_sha256
from ..errors import BadInput
from .document import Section
from .repository import Repository
from .subject import Action

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True, slots=True)
class Target:
    """The model version that facts are collected about."""

    name: str
    version: str
    uri: str
    """`models:/<name>/<version>`: an alias has been resolved."""
    run_id: str | None
    action: Action
    environment: str


@dataclass(frozen=True, slots=True)
class Gathered:
    """A collector's sections, and what it read."""

    sections: Mapping[Section, Any]
    """By the section's name, the value that the input document declares for it."""
    source: str
    sha256: str | None
    """Digest of what was read; of several files, over the canonical list of their digests."""


@dataclass(frozen=True, slots=True)
class NothingThere:
    """There is nothing to collect, and why."""

    reason: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file, digested as it was read."""

    location: str
    """As configured."""
    path: Path
    sha256: str


@dataclass(frozen=True, slots=True)
class Table:
    """A table with at least one row and no column twice, digested as it was read."""

    location: str
    frame: pandas.DataFrame
    sha256: str


@dataclass(frozen=True, slots=True)
class Document:
    """A YAML or JSON document, digested as it was read."""

    location: str
    content: Any
    """Plain `dict`, `list`, `str`, `int`, `float`, `bool`, `None`; dates and times are text."""
    sha256: str


_T = TypeVar("_T")


def validated(document: Document, shape: TypeAdapter[_T]) -> _T:
    """The document's content as a value. `BadInput` names the place of the first fault, not what is there."""
    try:
        return shape.validate_python(document.content)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ascii(".".join(map(str, fault["loc"]))) if fault["loc"] else "the document"
        problem = fault["msg"].removeprefix("Value error, ")
        raise BadInput(
            f"{place}: {problem[:1].lower()}{problem[1:]}",
            where=document.location,
            next_step="Correct the file; its schema is in schemas/",
        ) from error


def digest_of(*sha256: str) -> str:
    """The digest to report for what was read: of one file its own, of several SHA-256 over the canonical JSON
    list of theirs, in the order given."""
    if len(sha256) == 1:
        return sha256[0]
    return document_sha256(list(sha256))


class Sources(Protocol):
    """Where a version's facts are read from.

    A location is `run:<path>` (an artifact of the version's run), `model:<path>` (a file of the model), or a
    path relative to `mandate.yaml`.
    """

    def file(self, location: str) -> LocalFile:
        """The file. `SourceMissing` if there is none, `BadInput` if it cannot be used."""

    def table(self, location: str) -> Table:
        """The CSV or Parquet table. `SourceMissing` if there is none; `BadInput` if it is empty, has a column
        twice or is not a table."""

    def document(self, location: str) -> Document:
        """The document, read strictly (no duplicate keys, no anchors). `SourceMissing` if there is none,
        `BadInput` if it is neither YAML nor JSON."""

    def repository(self, location: str) -> Repository:
        """The git repository in a local folder, relative to `mandate.yaml`. `SourceMissing` if there is
        no such folder, `BadInput` if it is not local or no repository."""

    def of(self, uri: str) -> tuple[str, Sources]:
        """Another version's URI (an alias resolved) and its sources. `SourceMissing` if there is no such
        version."""
