"""The real sources, over versions whose runs' artifacts are the files of a folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import pytest

from mandate.engine.digests import file_sha256
from mandate.engine.errors import SourceMissing, UnknownSubject
from mandate.engine.input.registered import Signature
from mandate.sources.version import VersionSources


@dataclass(frozen=True)
class FolderVersion:
    """A version whose run's artifacts are the files of the folder `run_id`."""

    uri: str
    run_id: str | None


@dataclass
class Files:
    """The folder of `mandate.yaml`, and of the run as well: `run:` and local locations both work."""

    root: Path
    versions: dict[str, FolderVersion] = field(default_factory=dict)
    """What else the registry knows, by the URI that is asked for."""

    def write(self, location: str, content: pd.DataFrame | str) -> str:
        """Put a table or a text there; gives its digest."""
        path = self.root / location
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            path.write_text(content, encoding="utf-8")
        elif path.suffix == ".csv":
            content.to_csv(path, index=False)
        else:
            content.to_parquet(path, index=False)
        return file_sha256(path)

    def sources(self) -> VersionSources:
        """Of `models:/credit/2`, as they are now."""
        return VersionSources(self, FolderVersion("models:/credit/2", str(self.root)), folder=self.root)

    def add_version(self, uri: str, *, asked: str, folder: str) -> None:
        """Another version, found as `asked`, whose run's artifacts are the files of a folder below."""
        self.versions[asked] = FolderVersion(uri, str(self.root / folder))

    def resolve(self, uri: str) -> FolderVersion:
        if uri not in self.versions:
            raise UnknownSubject("there is no such version", where=uri)
        return self.versions[uri]

    def run_file(self, run_id: str, path: str) -> Path:
        file = Path(run_id) / path
        if not file.is_file():
            raise SourceMissing("the run has no such artifact", where=path)
        return file

    def download(self, uri: str) -> Path:
        raise SourceMissing("no model was logged", where=uri)

    def signature(self, uri: str) -> Signature | None:
        return None


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """An empty folder."""
    return Files(tmp_path)


@pytest.fixture(scope="session")
def new_files(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Files]:
    """Makes an empty folder: one for each example of a property."""
    return lambda: Files(tmp_path_factory.mktemp("files"))
