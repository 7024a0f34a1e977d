"""Downloads the files of models and runs from wherever MLflow keeps them."""

from __future__ import annotations

import posixpath
import tempfile
from pathlib import Path
from typing import Any

from mandate.engine.errors import BadInput, SourceMissing

from . import digest, library
from .permitted import Permitted

_NOT_IN_A_URL = "%?#\\"
"""MLflow puts paths into URLs as they are: with one of these the server would give another file."""


class ArtifactStore:
    """Reads artifacts as the tracking server, or the local store, lets MLflow read them."""

    def __init__(self, uri: str, permitted: Permitted) -> None:
        """`uri`: the tracking URI. `permitted`: where files may be fetched from."""
        self._uri = uri
        self._permitted = permitted

    def folder(self, artifact_uri: str, into: Path, *, where: str) -> None:
        """Copy all files below `artifact_uri` into the empty folder `into`. `SourceMissing` if there are
        none, `BadInput` if one cannot be read faithfully."""
        repository = self._repository(artifact_uri, where)
        with library.asking(where, SourceMissing):
            listed = repository.list_artifacts("")
        if not listed:
            raise SourceMissing("there are no files", where=where, next_step="Log the model again")
        with library.asking(where, SourceMissing):
            repository.download_artifacts("", str(into))
        copied = digest.plain_files(into, where=where)
        for path in copied:
            _checked(path, where)
        if (root := _local_root(repository)) and digest.plain_files(
            root, where=where
        ).keys() != copied.keys():
            # MLflow passes over files that it takes for unfinished uploads; who loads the model would not.
            raise BadInput("MLflow does not give all its files", where=where, next_step="Log the model again")

    def file(self, artifact_uri: str, path: str, into: Path, *, where: str) -> Path:
        """Copy the one file at `path` below `artifact_uri` into the empty folder `into`, and return where it
        is. `SourceMissing` if it is not there, `BadInput` if it is a folder or its path leads elsewhere."""
        parts = [part for part in _checked(path, where).split("/") if part != "."]
        wanted = "/".join(parts)
        repository = self._repository(artifact_uri, where)
        with library.asking(where, SourceMissing):
            # Listed first: a server answers a file that is not there in more than one way.
            listed = {entry.path: entry for entry in repository.list_artifacts(posixpath.dirname(wanted))}
        if wanted not in listed:
            raise SourceMissing("there is no such file", where=where, next_step="Log it with the run")
        if listed[wanted].is_dir:
            raise BadInput("it is a folder, not a file", where=where, next_step="Name a file in it")
        with library.asking(where, SourceMissing):
            return Path(repository.download_artifacts(wanted, str(into)))

    def _repository(self, artifact_uri: str, where: str) -> Any:
        self._permitted.demand(artifact_uri, where=where)
        with library.asking(where, SourceMissing):
            from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

            repository = get_artifact_repository(artifact_uri, tracking_uri=self._uri)
        # A server that is asked for them names addresses of its own choice to download from.
        repository._server_capabilities = {}
        if root := _local_root(repository):
            self._permitted.demand(str(root), where=where)  # where MLflow would really look
            if not root.is_dir():
                raise SourceMissing("there are no files", where=where, next_step="Log it again")
            digest.plain_files(root, where=where)  # refuses links
        return repository


def _local_root(repository: Any) -> Path | None:
    from mlflow.store.artifact.local_artifact_repo import LocalArtifactRepository

    return Path(repository.artifact_dir) if isinstance(repository, LocalArtifactRepository) else None


def private_folder() -> Path:
    """A new folder that only this user can read."""
    return Path(tempfile.mkdtemp(prefix="mandate-"))


def _checked(path: str, where: str) -> str:
    """The relative path, as it is. `BadInput` if it leads elsewhere, or would in a URL."""
    parts = path.split("/")
    if (
        not path.isprintable()
        or any(character in _NOT_IN_A_URL for character in path)
        or ".." in parts
        or "" in parts
    ):
        raise BadInput(
            f"{path[:80]!a} is not the plain path of a file",
            where=where,
            next_step="Use a path below the artifacts, without .., \\, %, ? and #",
        )
    return path
