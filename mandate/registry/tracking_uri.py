"""Where the registry is: which URIs Mandate takes, and what of them may be shown."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

from mandate.engine.errors import BadConfiguration, RegistryUnavailable

_SERVER = ("http", "https")
_SQLITE = "sqlite"
_DATABASES = ("postgresql", "mysql", "mssql")
_TABLE = "registered_models"


def is_server(uri: str) -> bool:
    """Whether it is a tracking server, so that only REST is spoken."""
    return _scheme(uri) in _SERVER


def shown(uri: str) -> str:
    """The URI without a user's name, password and query, for messages."""
    if _scheme(uri) == _SQLITE:
        return uri.partition("?")[0]  # urlsplit would lose one of its slashes
    parts = urlsplit(uri)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


def absolute(uri: str, root: Path) -> str:
    """The URI with the path of a SQLite file made absolute: a relative one is relative to `root`.

    `BadConfiguration` if MLflow's registry cannot be at such a URI.
    """
    scheme = _scheme(uri)
    if scheme == _SQLITE:
        return f"{_SQLITE}:///{root.resolve() / _file(uri)}"
    if scheme in (*_SERVER, *_DATABASES) and urlsplit(uri).netloc:
        return uri
    raise BadConfiguration(
        "it is not where a model registry can be",
        where=f"registry {shown(uri)!a}",
        next_step="Give the URL of an MLflow server (https://…), or its database (sqlite:///mlflow.db)",
    )


def check_store(uri: str) -> None:
    """`RegistryUnavailable` if the SQLite file at an absolute URI is not there, or is not MLflow's.

    MLflow would make the file and its tables, and so turn a wrong path into an empty registry.
    """
    if _scheme(uri) != _SQLITE:
        return
    file = _file(uri)
    if not file.is_file():
        raise RegistryUnavailable(
            "there is no such file",
            where=shown(uri),
            next_step="Check registry.tracking_uri in mandate.yaml",
        )
    try:
        with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as connection:
            rows = connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (_TABLE,)).fetchall()
    except sqlite3.Error as error:
        raise RegistryUnavailable(
            "it cannot be read as a SQLite database",
            where=shown(uri),
            next_step="Check the file and its permissions",
        ) from error
    if not rows:
        raise RegistryUnavailable(
            "it is not MLflow's database",
            where=shown(uri),
            next_step="Check registry.tracking_uri in mandate.yaml",
        )


def _scheme(uri: str) -> str:
    scheme, colon, _ = uri.partition("://")
    return scheme.partition("+")[0].lower() if colon else ""


def _file(uri: str) -> Path:
    path = uri.partition(":///")[2].partition("?")[0]
    if not path or path == ":memory:":
        raise BadConfiguration(
            "it names no file", where=f"registry {shown(uri)!a}", next_step="Write sqlite:///mlflow.db"
        )
    return Path(path)
