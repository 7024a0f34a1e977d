"""A caller cannot send the service to fetch something from anywhere: a real listener counts who connects."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.http.peers import Peer, saying_once
from tests.mlflow_fixtures import Store
from tests.organisation import Organisation, founded
from tests.registry.test_permitted import pointed
from tests.served import served
from tests.service import Serving, serving

SUBJECTS = [
    "http://127.0.0.1:{port}/model",
    "http://169.254.169.254/latest/meta-data",
    "https://127.0.0.1:{port}/model",
    "mlflow-artifacts://127.0.0.1:{port}/x",
    "file:///etc/passwd",
    "/etc/passwd",
    "mandate.yaml",
    "s3://bucket-of-others/model",
    "runs:/0123/model",
    "models:/../..",
    "models:/../1",
    "models:/credit/../../etc",
    "models:/credit/1/../2",
    "models://127.0.0.1:{port}/credit/1",
    "models:/127.0.0.1:{port}/1",
    "models:/credit/1?x=http://127.0.0.1:{port}",
    "models:/cre\u0000dit/1",
]


@pytest.fixture(scope="module")
def service(server: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A service that collects from a tracking server."""

    def prepare(organisation: Organisation) -> None:
        registered(organisation, server)

    with serving(tmp_path_factory.mktemp("service"), prepare, collect={"workers": 1}) as running:
        yield running


def registered(organisation: Organisation, server: Store) -> None:
    """Let the organisation's models be registered there."""
    file = organisation.folder / "mandate.yaml"
    file.write_text(file.read_text().replace("sqlite:///mlflow.db", server.tracking_uri))


@pytest.fixture
def listener() -> Iterator[Peer]:
    with Peer(saying_once(b"")) as peer:
        yield peer


def ask(service: Serving, uri: str) -> tuple[int, dict[str, str]]:
    response = service.call("POST", "/v1/decisions", json={"subject": uri})
    return response.status_code, response.json()


@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_subject_is_a_model_of_the_registry_and_nothing_else(
    service: Serving, listener: Peer, subject: str
) -> None:
    before = len(service.organisation.entries())
    status, problem = ask(service, subject.format(port=listener.url.rpartition(":")[2]))
    assert status == 400, problem
    assert (
        "models:/<name>/<version>" in problem["next_step"] or "A version is a number" in problem["next_step"]
    )
    assert len(service.organisation.entries()) == before
    assert listener.connections == 0


def test_a_model_that_nobody_registered_is_404_and_says_not_where_the_registry_is(service: Serving) -> None:
    status, problem = ask(service, "models:/nobody/1")
    assert (status, problem["detail"]) == (
        404,
        "the model registry: there is no registered model 'nobody'",
    )


@pytest.mark.parametrize(
    "source",
    ["http://127.0.0.1:{port}/x", "ftp://127.0.0.1:{port}/x", "http://169.254.169.254/x", "file:///etc"],
)
def test_a_version_that_points_elsewhere_is_undecided_and_nothing_is_fetched(
    service: Serving, server: Store, listener: Peer, source: str
) -> None:
    source = source.format(port=listener.url.rpartition(":")[2])
    status, answer = ask(service, pointed(server, "astray", source))
    assert (status, answer["outcome"]) == (503, "undecided")
    assert f"its files are at '{source}', and nothing is fetched from there" in " ".join(answer["reasons"])
    assert service.organisation.entries()[-1]["id"] == answer["id"]
    assert listener.connections == 0


def test_what_a_worker_logs_names_the_request(server: Store, tmp_path: Path) -> None:
    organisation = founded(tmp_path)
    registered(organisation, server)
    astray = {"subject": pointed(server, "astray", "http://127.0.0.1:9/x")}
    with served(organisation, collect={"workers": 1}) as running, running.client() as client:
        for named in ("deploy-18", "deploy-19"):
            client.post("/v1/decisions", json=astray, headers={"X-Request-ID": named})
    logged = [json.loads(line) for line in (tmp_path / "serve.log").read_text().splitlines()]
    said = [line["request"] for line in logged if line["message"] == "the collector mlflow failed"]
    assert said == ["deploy-18", "deploy-19"]


def test_a_worker_is_told_that_it_is_only_asked_what_would_be_decided(
    service: Serving, server: Store
) -> None:
    for query, what_if in (("", False), ("?dry_run=true", True)):
        answer = service.call("POST", f"/v1/decisions{query}", json={"subject": "models:/credit/1"}).json()
        assert (answer["request"]["what_if"], answer["what_if"]) == (what_if, what_if)
