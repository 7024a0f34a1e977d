"""The Compose file, started as docs/service-deploying.md says, on a real engine."""

from __future__ import annotations

import json
import shutil
import ssl
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.deploy.containers.conftest import BASE, IMAGES
from tests.deploy.containers.engine import Engine
from tests.deploy.containers.released import Released
from tests.organisation import GOOD
from tests.served import eventually

FOLDER = Path(__file__).parents[3] / "deploy/compose"
AUTHORITY = "/etc/mandate/tls/ca.crt"
POSTGRESQL = "localhost/postgresql"
COMPOSE = Path(sys.executable).with_name("podman-compose")


@dataclass(frozen=True)
class Project:
    """The folder with the Compose file, and what it runs."""

    engine: Engine
    folder: Path
    images: Mapping[str, str]

    def compose(self, *arguments: str, check: bool = True) -> str:
        environment = {**self.images, "COMPOSE_PROJECT_NAME": "mandate"}
        command = ["env", *(f"{name}={value}" for name, value in environment.items()), str(COMPOSE)]
        ran = self.engine.run(*command, "--profile", "setup", *arguments, check=check, cwd=self.folder)
        return ran.stdout + ran.stderr

    def client(self, token: str = "") -> httpx.Client:
        authority = self.engine.podman("exec", "mandate_mandate_1", "cat", AUTHORITY)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        context = ssl.create_default_context(cadata=authority)
        return httpx.Client(base_url="https://localhost:8443", verify=context, headers=headers)

    def is_ready(self) -> bool:
        authority = self.engine.run("podman", "exec", "mandate_mandate_1", "cat", AUTHORITY, check=False)
        if authority.returncode:  # it starts again until there is one
            return False
        with self.client() as client:
            return client.get("/readyz").status_code == 200


@pytest.fixture(scope="module")
def project(engine: Engine, service: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    folder = tmp_path_factory.mktemp("compose") / "mandate"
    shutil.copytree(FOLDER, folder)
    engine.build(POSTGRESQL, IMAGES / "postgresql.Containerfile", IMAGES, f"--build-arg=BASE={BASE}")
    project = Project(engine, folder, {"MANDATE_IMAGE": service, "POSTGRESQL_IMAGE": POSTGRESQL})
    try:
        yield project
    finally:
        project.compose("down", "--volumes", check=False)


def test_it_is_started_asked_and_stopped(project: Project, released: Released) -> None:
    released.lay(project.folder / "secrets", project.folder / "policies")
    settings = project.folder / "mandate.yaml"
    settings.write_text(settings.read_text().replace("example.org/models", released.name))
    # This Compose does not wait for health, as Docker's does: the owner asks until the database is there.
    eventually(lambda: "may append and read" in project.compose("run", "--rm", "-T", "ledger", check=False))
    project.compose("up", "--detach")
    eventually(project.is_ready)
    with project.client(released.token) as client:
        response = client.post("/v1/decisions", json={"input": GOOD})
        assert (response.status_code, response.json()["request"]["requested_by"]) == (200, "ci")
    for name in ("mandate", "opa", "postgresql"):
        project.engine.podman("healthcheck", "run", f"mandate_{name}_1")
    assert "authority" in project.compose("run", "--rm", "-T", "certificates")
    (opa,) = json.loads(project.engine.podman("container", "inspect", "mandate_opa_1"))
    assert opa["HostConfig"]["NetworkMode"] == "none"
    project.engine.podman("stop", "mandate_mandate_1")
    asked = ("container", "inspect", "--format={{.State.ExitCode}}", "mandate_mandate_1")
    assert project.engine.podman(*asked) == "0"
