"""Where a registered model says that its files are, nothing is fetched from but what the settings name.

A real listener counts who connects to it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from mandate.engine.errors import MandateError, RegistryUnavailable
from mandate.registry.mlflow import MlflowRegistry
from mandate.registry.permitted import Permitted
from tests.engine.http.peers import Peer, saying_once
from tests.mlflow_fixtures import Store

SERVER = "https://mlflow.bank.example/path"
ELSEWHERE = "nothing is fetched from there"
SOURCES = [
    "http://127.0.0.1:{port}/api/2.0/mlflow-artifacts/artifacts/x",
    "https://127.0.0.1:{port}/x",
    "mlflow-artifacts://127.0.0.1:{port}/x",
    "ftp://127.0.0.1:{port}/x",
    "sftp://127.0.0.1:{port}/x",
    "hdfs://127.0.0.1:{port}/x",
    "http://169.254.169.254/latest/meta-data",
    "s3://bucket-of-others/x",
    "gs://bucket-of-others/x",
    "dbfs:/x",
    "file:///etc",
    "/etc",
    "{folder}/mandate.yaml",
]


@pytest.fixture
def listener() -> Iterator[Peer]:
    with Peer(saying_once(b"")) as peer:
        yield peer


def pointed(store: Store, name: str, source: str) -> str:
    """A new version, of whose files the registry says that they are at `source`."""
    version = store.publish(name)
    with sqlite3.connect(store.folder / "mlflow.db") as connection:
        connection.execute(
            "UPDATE model_versions SET source = ?, storage_location = ? WHERE name = ? AND version = ?",
            (source, source, name, int(version)),
        )
    connection.close()
    return f"models:/{name}/{version}"


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("kind", ["store", "server"])
def test_nobody_connects_to_where_a_version_points(
    request: pytest.FixtureRequest,
    kind: str,
    source: str,
    listener: Peer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store: Store = request.getfixturevalue(kind)
    monkeypatch.setenv("MLFLOW_S3_ENDPOINT_URL", listener.url)
    source = source.format(port=listener.url.rpartition(":")[2], folder=store.folder)
    uri = pointed(store, "pointing", source)
    with store.registry() as registry:
        for look in (registry.digest, registry.download, registry.registered):
            with pytest.raises(RegistryUnavailable, match=ELSEWHERE) as refused:
                look(uri)
            assert source.removeprefix("file://")[:20] in refused.value.what
    assert listener.connections == 0


def test_nobody_connects_to_where_a_run_keeps_its_artifacts(store: Store, listener: Peer) -> None:
    store.publish("running")
    with sqlite3.connect(store.folder / "mlflow.db") as connection:
        ((run,),) = connection.execute(
            "SELECT run_uuid FROM runs ORDER BY start_time DESC LIMIT 1"
        ).fetchall()
        connection.execute(
            "UPDATE runs SET artifact_uri = ? WHERE run_uuid = ?", (f"ftp{listener.url[4:]}/x", run)
        )
    connection.close()
    with store.registry() as registry, pytest.raises(RegistryUnavailable, match=ELSEWHERE):
        registry.run_file(run, "model_card.md")
    assert listener.connections == 0


def test_a_redirect_is_not_followed(tmp_path: Path, listener: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    moved = f"HTTP/1.1 307 X\r\nLocation: {listener.url}/\r\nContent-Length: 0\r\n\r\n".encode()
    with Peer(saying_once(moved)) as peer:
        with (
            MlflowRegistry(peer.url, folder=tmp_path) as registry,
            pytest.raises(RegistryUnavailable, match="it redirects elsewhere"),
        ):
            registry.resolve("models:/credit/1")
        assert listener.connections == 0
        # Whoever runs it may say otherwise.
        monkeypatch.setenv("MLFLOW_ALLOW_HTTP_REDIRECTS", "true")
        with MlflowRegistry(peer.url, folder=tmp_path) as registry, pytest.raises(MandateError):
            registry.resolve("models:/credit/1")
        assert listener.connections > 0


def test_a_server_does_not_say_from_which_address_a_file_is_downloaded(server: Store) -> None:
    uri = f"models:/plain/{server.publish('plain')}"
    assert server.registry().digest(uri)
    log = (server.folder / "server.log").read_text()
    assert "GET /api/2.0/mlflow-artifacts/artifacts" in log
    assert "/server-info" not in log


@pytest.mark.parametrize(
    ("place", "permitted"),
    [
        ("s3://bank-models/approved", True),
        ("s3://bank-models/approved/", True),
        ("s3://bank-models/approved/7/artifacts", True),
        ("s3://bank-models/approved-not", False),
        ("s3://bank-models/approved/../secret", False),
        ("s3://bank-models/approved/%2e%2e/secret", False),
        ("s3://bank-models", False),
        ("s3://bank-models.evil.example/approved", False),
        ("s3://bank-models@evil.example/approved", False),
        ("s3://bank-models/approved?versionId=1", False),
        ("s3://bank-models/approved\\..\\secret", False),
        ("s3://bank-models/approved/\n", False),
        ("gs://bank-models/approved", False),
        ("S3://bank-models/approved/7", True),
        ("mlflow-artifacts:/7/artifacts", True),
        ("mlflow-artifacts://mlflow.bank.example/7", True),
        ("mlflow-artifacts://evil.example/7", False),
        ("mlflow-artifacts:/../../x", False),
        ("http://mlflow.bank.example/path", False),
        ("models:/m-0123", False),
        ("runs:/0123/model", False),
        ("{folder}/mlruns/7", True),
        ("file://{folder}/mlruns/7", True),
        ("file://localhost{folder}/mlruns/7", True),
        ("file://evil.example{folder}/mlruns/7", False),
        ("file://{folder}/mlruns/%2e%2e/secret", False),
        ("{folder}/mlruns", False),
        ("{folder}", False),
        ("{folder}/mlruns/keys", False),
        ("{folder}/mlruns/keys/old", False),
        ("{folder}/link", False),
        ("{folder}/mlruns/link", False),
    ],
)
def test_a_place_is_permitted_or_not(tmp_path: Path, place: str, permitted: bool) -> None:
    (tmp_path / "mlruns/keys").mkdir(parents=True)
    (tmp_path / "link").symlink_to("/etc")
    (tmp_path / "mlruns/link").symlink_to("/etc")
    places = ["mlruns", "s3://bank-models/approved"]
    rules = Permitted(SERVER, places, folder=tmp_path, closed=[tmp_path / "mlruns/keys"])
    asked = place.format(folder=tmp_path)
    if permitted:
        rules.demand(asked, where="models:/credit/1")
    else:
        with pytest.raises(RegistryUnavailable, match=ELSEWHERE):
            rules.demand(asked, where="models:/credit/1")


def test_without_a_server_nothing_is_fetched_through_one(tmp_path: Path) -> None:
    rules = Permitted("sqlite:///mlflow.db", ["file:///srv/models"], folder=tmp_path)
    rules.demand("/srv/models/7", where="models:/credit/1")
    for place in ("mlflow-artifacts:/7", "/srv/other", "s3://srv/models"):
        with pytest.raises(RegistryUnavailable, match=ELSEWHERE):
            rules.demand(place, where="models:/credit/1")
