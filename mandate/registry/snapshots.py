"""One copy of each version's files and of each run's artifacts, for as long as one question takes."""

from __future__ import annotations

import shutil
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from .artifacts import ArtifactStore, private_folder

_LOAD_MARK = "registered_model_meta"


class Snapshots:
    """Copies of artifacts in a folder that only this user can read.

    What collectors read and what is digested is the same copy. The folder is removed by `close`, at the
    latest when the process ends.
    """

    def __init__(self, store: ArtifactStore) -> None:
        self._store = store
        self._copies: dict[tuple[str, str], Path] = {}
        self._root: Path | None = None
        self._remove: weakref.finalize[..., Snapshots] | None = None

    def model(self, name: str, version: str, artifact_uri: str, *, where: str) -> Path:
        """The folder with the version's files."""
        key = (where, "")
        if key not in self._copies:
            folder = self._new_folder()
            self._copy(name, version, artifact_uri, folder, where)
            self._copies[key] = folder
        return self._copies[key]

    @contextmanager
    def fresh_model(self, name: str, version: str, artifact_uri: str, *, where: str) -> Iterator[Path]:
        """A new copy of the version's files, gone afterwards."""
        with TemporaryDirectory(prefix="mandate-") as folder:
            self._copy(name, version, artifact_uri, Path(folder), where)
            yield Path(folder)

    def file(self, artifact_uri: str, path: str, *, where: str) -> Path:
        """One file below `artifact_uri`."""
        key = (where, path)
        if key not in self._copies:
            self._copies[key] = self._store.file(artifact_uri, path, self._new_folder(), where=where)
        return self._copies[key]

    def close(self) -> None:
        """Remove all copies."""
        self._copies.clear()
        self._root = None
        if self._remove is not None:
            self._remove()

    def _new_folder(self) -> Path:
        if self._root is None:
            self._root = private_folder()
            self._remove = weakref.finalize(self, shutil.rmtree, self._root, ignore_errors=True)
        folder = self._root / str(len(list(self._root.iterdir())))
        folder.mkdir()
        return folder

    def _copy(self, name: str, version: str, artifact_uri: str, folder: Path, where: str) -> None:
        self._store.folder(artifact_uri, folder, where=where)
        _remove_load_mark(folder, name, version)


def _remove_load_mark(folder: Path, name: str, version: str) -> None:
    """Remove the note that MLflow leaves in a local store when somebody loads the version by its name.

    It would change the digest of files that nobody changed. It is removed only if it is byte for byte what
    MLflow writes for this very version, so that nothing can hide in it.
    """
    mark = folder / _LOAD_MARK
    if mark.is_file() and mark.read_bytes() in _load_marks(name, version):
        mark.unlink()


def _load_marks(name: str, version: str) -> set[bytes]:
    """The note for a version loaded by its number, and by an alias: then the number may be unquoted."""
    from mlflow.utils.yaml_utils import write_yaml

    marks = set()
    with TemporaryDirectory(prefix="mandate-") as folder:
        for number in (version, int(version)):
            content = {"model_name": name, "model_version": number}
            write_yaml(folder, _LOAD_MARK, content, overwrite=True, ensure_yaml_extension=False)
            marks.add(Path(folder, _LOAD_MARK).read_bytes())
    return marks
