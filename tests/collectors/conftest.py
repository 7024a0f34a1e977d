"""Sources over a folder with real files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd
import pytest

from mandate.engine import strict_yaml
from mandate.engine.digests import file_sha256
from mandate.engine.errors import BadInput, SourceMissing
from mandate.engine.input.gathering import Document, LocalFile, Sources, Table


class FolderSources:
    """A version's files in one folder, and other versions' sources by URI."""

    def __init__(self, root: Path, versions: Mapping[str, tuple[str, Sources]] | None = None) -> None:
        self.root = root
        self.versions = dict(versions or {})

    def write(self, location: str, content: pd.DataFrame | str) -> str:
        """Put a table or a text there; gives its digest."""
        path = self.root / location
        if isinstance(content, str):
            path.write_text(content, encoding="utf-8")
        elif path.suffix == ".csv":
            content.to_csv(path, index=False)
        else:
            content.to_parquet(path, index=False)
        return file_sha256(path)

    def file(self, location: str) -> LocalFile:
        path = self.root / location
        if not path.is_file():
            raise SourceMissing("there is no such file", where=location)
        return LocalFile(location, path, file_sha256(path))

    def table(self, location: str) -> Table:
        file = self.file(location)
        frame = pd.read_csv(file.path) if location.endswith(".csv") else pd.read_parquet(file.path)
        if frame.empty:
            raise BadInput("the table is empty", where=location)
        return Table(location, frame, file.sha256)

    def document(self, location: str) -> Document:
        file = self.file(location)
        return Document(location, strict_yaml.load_file(file.path, BadInput).value, file.sha256)

    def folder(self, location: str) -> Path:
        path = self.root / location
        if not path.is_dir():
            raise SourceMissing("there is no such folder", where=location)
        return path

    def of(self, uri: str) -> tuple[str, Sources]:
        try:
            return self.versions[uri]
        except KeyError:
            raise SourceMissing("there is no such version", where=uri) from None


@pytest.fixture
def sources(tmp_path: Path) -> FolderSources:
    """Sources over an empty folder."""
    return FolderSources(tmp_path)


@pytest.fixture(scope="session")
def new_sources(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], FolderSources]:
    """Makes sources over a new empty folder: one for each example of a property."""
    return lambda: FolderSources(tmp_path_factory.mktemp("sources"))
