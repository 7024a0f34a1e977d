"""`docs/service-deploying.md`, done step by step, by the real kubectl and Helm, in a real cluster."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

from psycopg import sql

from mandate.engine.configuration import Settings
from tests.kube import programs
from tests.kube.api_server import running
from tests.kube.manifests import ROOT, parsed
from tests.postgresql import Server
from tests.test_guide import fences

GUIDE = ROOT / "docs/service-deploying.md"
_TITLE = re.compile(r'title="([^"]+)"')


def test_every_step_does_what_the_guide_says(postgresql_server: Server, tmp_path: Path) -> None:
    (cluster := tmp_path / "cluster").mkdir()
    (folder := tmp_path / "work").mkdir()
    (folder / "deploy").symlink_to(ROOT / "deploy")
    (folder / "pgpass").write_text("*:*:*:*:secret\n")
    (folder / "ca.crt").write_text("the database's\n")
    with running(cluster, {}) as api, postgresql_server.database() as url:
        assert api.kubectl("create", "namespace", "lending").exit_code == 0
        ensure_role(postgresql_server)
        environment = {**tools(tmp_path, cluster / "kubeconfig"), "OWNER_URL": url}
        for info, body in fences(GUIDE):
            if (title := _TITLE.search(info)) is not None:
                (folder / title[1]).write_text(body)
            elif info == "console":
                do(body, folder, environment)
        assert api.kubectl("get", "-n", "mandate", "deployment", "mandate").exit_code == 0
        shown = json.loads(api.kubectl("get", "-n", "mandate", "configmap", "mandate", "-o", "json").out)
        assert sorted(shown["data"]) == ["mandate.yaml", "opa.yaml"]
        (settings,) = parsed(shown["data"]["mandate.yaml"])
        assert Settings.model_validate(settings).ledger.name == "bank.example/models"
        named = api.kubectl("get", "-n", "mandate", "configmap", "-o", "name").out.split()
        assert [name for name in named if name.startswith("configmap/mandate-policies-")]
        image = api.kubectl("get", "-n", "mandate", "deployment", "mandate", "-o", "yaml").out
        assert image.count("registry.bank.example/mandate-service@sha256:0123") == 3


def do(body: str, folder: Path, environment: dict[str, str]) -> None:
    """Run the commands after `$`, and look for what must be among what each prints."""
    for step in body.split("$ ")[1:]:
        command, *expected = step.rstrip("\n").split("\n")
        command, _, exit_code = command.partition(" exit=")
        ran = subprocess.run(
            ["bash", "-c", command],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == int(exit_code or 0), f"{command}\n{ran.stdout}{ran.stderr}"
        for line in expected:
            assert line in ran.stdout + ran.stderr, f"{command}\n{ran.stdout}{ran.stderr}"


def tools(folder: Path, kubeconfig: Path) -> dict[str, str]:
    """An environment in which the guide's programs are the real ones."""
    (own := folder / "bin").mkdir()
    commands = {
        "mandate": f"{shlex.quote(sys.executable)} -m mandate",
        "kubectl": str(programs.kubectl()),
        "helm": str(programs.helm()),
    }
    for name, command in commands.items():
        more = " --kube-version=1.36.3" if name == "helm" else ""
        (own / name).write_text(f'#!/bin/sh\nexec {command} "$@"{more}\n')
        (own / name).chmod(0o755)
    return {
        **os.environ,
        "PATH": f"{own}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "KUBECONFIG": str(kubeconfig),
        **{f"HELM_{name}_HOME": str(folder / "helm") for name in ("CACHE", "CONFIG", "DATA")},
    }


def ensure_role(server: Server) -> None:
    """The role of the guide, which may be there from another test: roles are of the whole server."""
    server.execute(
        sql.SQL(
            "DO $$ BEGIN CREATE ROLE mandate_writer LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$"
        ).format()
    )
