"""The sources of one registered version's facts: its run's artifacts, its files, and local files."""

from __future__ import annotations

import codecs
import shutil
import weakref
from collections.abc import Callable
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Protocol

from mandate.engine import strict_json, strict_yaml
from mandate.engine.digests import file_sha256, sha256
from mandate.engine.errors import BadInput, SourceMissing, UnknownSubject
from mandate.engine.input.gathering import Document, LocalFile, Table
from mandate.engine.input.registered import Signature

from .locations import Location, Place, parse
from .repository import GitRepository
from .tables import read_table


class Version(Protocol):
    """A registered model version."""

    @property
    def uri(self) -> str:
        """`models:/<name>/<version>`."""

    @property
    def run_id(self) -> str | None:
        """`None` if it was registered without a run."""


class Registry(Protocol):
    """Where versions are found and downloaded."""

    def resolve(self, uri: str) -> Version:
        """The version that `uri` names now. `UnknownSubject`, `RegistryUnavailable`."""

    def download(self, uri: str) -> Path:
        """A private copy of the version's files. `SourceMissing`, `RegistryUnavailable`."""

    def run_file(self, run_id: str, path: str) -> Path:
        """A private copy of one artifact of a run. `SourceMissing`, `RegistryUnavailable`."""

    def signature(self, uri: str) -> Signature | None:
        """What the version takes and gives."""


class VersionSources:
    """Implements `mandate.engine.input.gathering.Sources`.

    Every file is copied before it is digested, and read from that copy: what a digest says was read is what
    was read, whoever writes to it meanwhile. The copies are private, made once, and go with this object.
    """

    def __init__(self, registry: Registry, version: Version, *, folder: Path) -> None:
        """`folder` is the one of `mandate.yaml`."""
        self._registry = registry
        self._version = version
        self._folder = folder
        self._copies: Path | None = None
        self._files: dict[str, LocalFile] = {}
        self._tables: dict[str, Table] = {}

    def file(self, location: str) -> LocalFile:
        """See `Sources.file`."""
        if location not in self._files:
            path = self._found(parse(location), location)
            self._files[location] = LocalFile(location, path, file_sha256(path))
        return self._files[location]

    def table(self, location: str) -> Table:
        """See `Sources.table`. The frame is the caller's own: changing it changes nobody else's."""
        if location not in self._tables:
            content = self._content(location)
            self._tables[location] = Table(location, read_table(content, location), sha256(content))
        table = self._tables[location]
        return Table(table.location, table.frame.copy(deep=True), table.sha256)

    def document(self, location: str) -> Document:
        """See `Sources.document`."""
        content = self._content(location)
        if location.lower().endswith(".json"):
            value = _json(content, location)
        else:
            value = strict_yaml.load(content, BadInput, name=location).value
        return Document(location, value, sha256(content))

    def repository(self, location: str) -> GitRepository:
        """See `Sources.repository`."""
        where = parse(location)
        if where.place is not Place.LOCAL:
            raise BadInput(
                "it is not a local folder", where=location, next_step="Write a path on this machine"
            )
        path = self._folder / Path(where.path).expanduser()
        if not path.exists():
            raise SourceMissing(
                "there is no such folder", where=location, next_step="Clone the repository there"
            )
        if not path.is_dir():
            raise BadInput("it is a file, not a folder", where=location, next_step="Name the folder")
        return GitRepository(path, location)

    def signature(self) -> Signature | None:
        """What the version takes and gives; `None` if it does not say."""
        return self._registry.signature(self._version.uri)

    def of(self, uri: str) -> tuple[str, VersionSources]:
        """See `Sources.of`."""
        try:
            version = self._registry.resolve(uri)
        except UnknownSubject as error:
            raise SourceMissing(error.what, where=error.where or uri, next_step=error.next_step) from error
        return version.uri, VersionSources(self._registry, version, folder=self._folder)

    def _content(self, location: str) -> bytes:
        file = self.file(location)
        return file.path.read_bytes()

    def _found(self, location: Location, shown: str) -> Path:
        find: dict[Place, Callable[[str, str], Path]] = {
            Place.RUN: self._in_run,
            Place.MODEL: self._in_model,
            Place.LOCAL: self._local,
        }
        return find[location.place](location.path, shown)

    def _in_run(self, path: str, shown: str) -> Path:
        if self._version.run_id is None:
            raise SourceMissing("the version has no run", where=shown, next_step="Register a model of a run")
        return self._registry.run_file(self._version.run_id, path)

    def _in_model(self, path: str, shown: str) -> Path:
        file = self._registry.download(self._version.uri) / path
        if file.is_dir():
            raise BadInput("it is a folder, not a file", where=shown, next_step="Name a file in it")
        if not file.is_file():
            raise SourceMissing("the model has no such file", where=shown, next_step="Log it with the model")
        return file

    def _local(self, path: str, shown: str) -> Path:
        file = self._folder / Path(path).expanduser()
        if file.is_dir():
            raise BadInput("it is a folder, not a file", where=shown, next_step="Name a file in it")
        if not file.exists():
            raise SourceMissing("there is no such file", where=shown, next_step="Check its path")
        if not file.is_file():
            raise BadInput("it is not a regular file", where=shown, next_step="Name a regular file")
        copy = self._new_folder() / file.name
        try:
            shutil.copyfile(file, copy)
        except OSError as error:
            raise BadInput(
                f"it cannot be read: {error.strerror}", where=shown, next_step="Check its permissions"
            ) from error
        return copy

    def _new_folder(self) -> Path:
        if self._copies is None:
            self._copies = Path(mkdtemp(prefix="mandate-"))
            weakref.finalize(self, shutil.rmtree, self._copies, ignore_errors=True)
        return Path(mkdtemp(dir=self._copies))


def _json(content: bytes, location: str) -> Any:
    try:
        return strict_json.parse(content.removeprefix(codecs.BOM_UTF8))
    except strict_json.NotStrict as error:
        raise BadInput(f"it is not JSON: {error}", where=location, next_step="Correct it") from error
