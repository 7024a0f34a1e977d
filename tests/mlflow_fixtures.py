"""A real MLflow: a SQLite store with its files, and a tracking server on the loopback interface.

Both are made once a session and hold the same models, published over MLflow's own client. Tests that change
them publish a model of their own.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mandate.registry import library
from mandate.registry.mlflow import MlflowRegistry

COMMIT = "6b1f2c9d5e8a7f3b4c6d8e0f1a2b3c4d5e6f7a8b"
CARD = "# Credit\n\n## Intended use\n\nRanks applications for a clerk.\n\n## Limits\n\nTODO\n"
_START = 60
"""Seconds in which the server must be up."""


@dataclass(frozen=True)
class Store:
    """A registry with the model `credit`.

    Version 1 (alias `champion`) is registered from a logged model, version 2 (`challenger`) from a folder of
    a run's artifacts, version 3 was deleted, version 4 has no signature.
    """

    tracking_uri: str
    folder: Path
    """Where the files are on disk."""
    run_id: str
    """Of version 1."""

    def registry(self) -> MlflowRegistry:
        return MlflowRegistry(self.tracking_uri, folder=self.folder, artifacts=["files"])

    def settings(self) -> dict[str, Any]:
        """The section `registry` of a mandate.yaml."""
        return {"tracking_uri": self.tracking_uri, "artifacts": [str(self.folder / "files")]}

    def client(self) -> Any:
        from mlflow import MlflowClient

        return MlflowClient(self.tracking_uri)

    def publish(self, name: str, *, files: dict[str, bytes] | None = None, source: str | None = None) -> str:
        """Register a version of `name` from a folder of a new run's artifacts with these files."""
        with quiet(), tempfile.TemporaryDirectory() as scratch:
            client = self.client()
            with suppress(Exception):
                client.create_registered_model(name)
            run = client.create_run(client.get_experiment_by_name("credit").experiment_id)
            for path, content in (files or {"MLmodel": b"flavors: {}\n"}).items():
                file = Path(scratch, path)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content)
            client.log_artifacts(run.info.run_id, scratch, "saved")
            version = client.create_model_version(
                name, source or f"{run.info.artifact_uri}/saved", run_id=run.info.run_id
            )
            return str(version.version)


@contextmanager
def quiet() -> Iterator[None]:
    """MLflow's own warnings are not what is tested."""
    library.load()
    with library._quiet(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MLflow's tables without content: migrating takes seconds, copying does not."""
    file = tmp_path_factory.mktemp("empty") / "mlflow.db"
    with quiet():
        from mlflow import MlflowClient

        MlflowClient(f"sqlite:///{file}").search_registered_models()
    return file


@pytest.fixture(scope="session")
def store(empty_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A local SQLite store."""
    folder = tmp_path_factory.mktemp("store")
    (folder / "mlflow.db").write_bytes(empty_database.read_bytes())
    return _published(f"sqlite:///{folder}/mlflow.db", folder, (folder / "files").as_uri())


@pytest.fixture(scope="session")
def server(empty_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A tracking server that gives its files by REST only."""
    with tracking_server(empty_database, tmp_path_factory.mktemp("server")) as running:
        yield _published(running.url, running.folder, None)


@dataclass
class Server:
    """A process `mlflow server`, with its children in one process group."""

    url: str
    folder: Path
    process: subprocess.Popen[bytes]

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@contextmanager
def tracking_server(database: Path, folder: Path) -> Iterator[Server]:
    """A server over a copy of `database`; killed at the end."""
    (folder / "mlflow.db").write_bytes(database.read_bytes())
    for _ in range(3):  # somebody else may take the port before the server does
        started = _started(folder)
        if started is not None:
            break
    else:
        raise RuntimeError((folder / "server.log").read_text())
    try:
        yield started
    finally:
        started.kill()


def _started(folder: Path) -> Server | None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    environment |= {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)),
                *("--workers", "1", "--backend-store-uri", f"sqlite:///{folder}/mlflow.db"),
                *("--artifacts-destination", str(folder / "files")),
            ],
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    server = Server(f"http://127.0.0.1:{port}", folder, process)
    deadline = time.monotonic() + _START
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(OSError), urllib.request.urlopen(f"{server.url}/health", timeout=5) as answer:  # noqa: S310  (our own URL)
            if answer.read() == b"OK" and process.poll() is None:
                return server
        time.sleep(0.1)
    server.kill()
    return None


def _published(tracking_uri: str, folder: Path, files: str | None) -> Store:
    with quiet():
        import mlflow
        import pandas as pd
        from mlflow.models import infer_signature
        from sklearn.linear_model import LogisticRegression

        before = mlflow.get_tracking_uri()
        mlflow.set_tracking_uri(tracking_uri)
        try:
            client = mlflow.MlflowClient(tracking_uri)
            experiment = client.create_experiment("credit", files)
            table = pd.DataFrame({"income": [1.0, 2.0, 3.0, 4.0], "term": [12, 24, 12, 24]})
            model = LogisticRegression().fit(table, [0, 1, 0, 1])
            signature = infer_signature(table, model.predict(table))
            tags = {"mlflow.user": "ada@bank.example", "mlflow.source.git.commit": COMMIT}
            with mlflow.start_run(experiment_id=experiment, tags=tags) as run:
                run_id = run.info.run_id
                mlflow.log_params({"C": 1.0, "penalty": "l2"})
                for step, loss in enumerate((0.5, 0.25)):
                    mlflow.log_metric("loss", loss, step=step)
                mlflow.log_metric("undefined", float("nan"))
                mlflow.log_metric("unbounded", float("inf"))
                mlflow.log_input(mlflow.data.from_pandas(table, name="applications"), context="training")
                mlflow.log_text(CARD, "model_card.md")
                mlflow.log_text(table.to_csv(index=False), "data/training.csv")
                mlflow.log_text(json.dumps({"run_id": run_id}), "provenance.json")
                saved = mlflow.sklearn.log_model(
                    model, name="model", signature=signature, pip_requirements=["scikit-learn"]
                )
            mlflow.register_model(saved.model_uri, "credit")
            store = Store(tracking_uri, folder, run_id)
            with tempfile.TemporaryDirectory() as scratch:
                mlflow.sklearn.save_model(
                    model, f"{scratch}/model", signature=signature, pip_requirements=["scikit-learn"]
                )
                written = {
                    file.relative_to(f"{scratch}/model").as_posix(): file.read_bytes()
                    for file in Path(scratch, "model").rglob("*")
                    if file.is_file()
                }
            store.publish("credit", files=written)
            client.delete_model_version("credit", store.publish("credit"))
            store.publish("credit")
            client.set_registered_model_tag("credit", "mandate.risk_tier", "high")
            client.set_model_version_tag("credit", "1", "mandate.risk_tier", "low")
            client.set_model_version_tag("credit", "1", "recipe", "plain")
            client.set_registered_model_alias("credit", "champion", "1")
            client.set_registered_model_alias("credit", "challenger", "2")
        finally:
            mlflow.set_tracking_uri(before)
    return store
