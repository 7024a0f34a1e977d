"""Where the files of models may lie: in places that the settings name, and nowhere else.

Whoever registers a model writes where its files are, and they are fetched with the rights of whoever judges.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from mandate.engine.errors import RegistryUnavailable

from . import tracking_uri

FOLDERS = ("mlruns", "mlartifacts")
"""Where MLflow itself puts files on this machine."""
_SERVED = "mlflow-artifacts"
_LOCAL = ("", "file")
_NOT_PLAIN = frozenset("%?#\\ ")
_HERE = ("", "localhost")


class Permitted:
    """The places that a tracking server gives files from, and those that settings name."""

    def __init__(
        self, tracking: str, places: Sequence[str], *, folder: Path, closed: Sequence[Path] = ()
    ) -> None:
        """`places`: URIs such as `s3://bank-models/production`, and folders relative to `folder`. Nothing is
        read from the folders `closed`, nor from one around them: they hold Mandate's own files."""
        self._server = urlsplit(tracking) if tracking_uri.is_server(tracking) else None
        uris = [place for place in places if "://" in place and not place.startswith("file://")]
        self._remote = tuple(urlsplit(uri) for uri in uris)
        self._folders = tuple((folder / _path(place)).resolve() for place in places if place not in uris)
        self._closed = tuple(each.resolve() for each in closed)

    def demand(self, artifact_uri: str, *, where: str) -> None:
        """Return if files may be fetched from there; `RegistryUnavailable` that names the place if not."""
        parts = urlsplit(artifact_uri)
        if parts.scheme in _LOCAL:
            permitted = parts.netloc in _HERE and self._is_permitted(Path(_path(artifact_uri)).resolve())
        else:
            permitted = _is_plain(artifact_uri) and self._is_named(artifact_uri)
        if not permitted:
            shown = tracking_uri.shown(artifact_uri)[:200]
            raise RegistryUnavailable(
                f"its files are at {shown!a}, and nothing is fetched from there",
                where=where,
                next_step="Log it through a tracking server that serves its artifacts, or name the place in "
                "registry.artifacts if whoever registers models may choose it",
            )

    def _is_named(self, artifact_uri: str) -> bool:
        parts = urlsplit(artifact_uri)
        if self._server is not None and parts.scheme == _SERVED:
            return parts.netloc in ("", self._server.netloc)
        return any(
            (parts.scheme, parts.netloc) == (place.scheme, place.netloc)
            and f"{parts.path.rstrip('/')}/".startswith(f"{place.path.rstrip('/')}/")
            for place in self._remote
        )

    def _is_permitted(self, path: Path) -> bool:
        return any(path.is_relative_to(folder) for folder in self._folders) and not any(
            path.is_relative_to(closed) or closed.is_relative_to(path) for closed in self._closed
        )


def _is_plain(uri: str) -> bool:
    """Whether every reader of the URI reads the same place from it."""
    return (
        uri.isascii()
        and uri.isprintable()
        and _NOT_PLAIN.isdisjoint(uri)
        and not {"..", "."} & set(urlsplit(uri).path.split("/"))
    )


def _path(place: str) -> str:
    """The path of a file's URI, or the path itself, as MLflow reads both."""
    return url2pathname(urlsplit(place).path) if place.startswith("file:") else place
