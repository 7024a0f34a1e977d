"""The image `service`, built by its recipe, and run as a cluster runs it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.deploy.containers.conftest import BASE
from tests.deploy.containers.engine import Engine
from tests.organisation import GOOD, founded
from tests.served import eventually
from tests.test_architecture import HEAVY

CONFINED = ("--read-only", "--read-only-tmpfs=false", "--cap-drop=all", "--security-opt=no-new-privileges")
USER = 65532


def test_it_runs_as_nobody_and_is_small(engine: Engine, service: str) -> None:
    (image,) = json.loads(engine.podman("image", "inspect", service))
    (base,) = json.loads(engine.podman("image", "inspect", BASE))
    assert image["Config"]["User"] == f"{USER}:{USER}"
    assert image["Config"]["Entrypoint"] == ["mandate"]
    assert image["Size"] - base["Size"] < 160 << 20


def test_it_has_no_library_that_collects_and_nothing_that_installs(engine: Engine, service: str) -> None:
    code = (
        f"import importlib.util as u; print([n for n in {[*HEAVY, 'pip', 'hatchling']!r} if u.find_spec(n)])"
    )
    options = ("--rm", "--network=none", "--entrypoint=/opt/mandate/bin/python")
    assert engine.podman("run", *options, service, "-I", "-c", code) == "[]"


def test_its_user_can_write_only_where_something_is_mounted(engine: Engine, service: str) -> None:
    """So it is whether the root is mounted read-only or not."""
    looked = ("run", "--rm", "--network=none", "--entrypoint=/usr/bin/find", service)
    # It may not look everywhere, either, and says so by its exit code.
    ran = engine.run("podman", *looked, "/", "-xdev", "-writable", "-not", "-type", "l", check=False)
    ours = {"/var/lib/mandate", "/etc/mandate/tls", "/run/opa"}
    debians = {"/tmp", "/var/tmp", "/run/lock", "/var/lock"}
    assert ours <= set(ran.stdout.splitlines()) <= ours | debians


def test_it_serves_on_a_read_only_root_without_a_capability(
    engine: Engine, service: str, tmp_path: Path
) -> None:
    organisation = founded(tmp_path, trusting=True)
    token = organisation.mandate("token", "ci", "--role", "decider", "--output", "json").json
    (tmp_path / "callers.yaml").write_text(json.dumps([token["caller"]]))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with (tmp_path / "mandate.yaml").open("a") as file:
        file.write(f"\nservice: {{listen: '127.0.0.1:{port}', collect: {{workers: 0}}}}\n")
    own(tmp_path)
    with started(engine, service, tmp_path) as container:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
            eventually(lambda: client.get("/readyz").status_code == 200)
            authorized = {"Authorization": f"Bearer {token['token']}"}
            response = client.post("/v1/decisions", headers=authorized, json={"input": GOOD})
        assert (response.status_code, response.json()["outcome"]) == (200, "allow")
        touched = engine.run("podman", "exec", container, "touch", "/var/lib/mandate/x", check=False)
        assert "Read-only file system" in touched.stderr
        engine.podman("stop", "--time=20", container)
        assert engine.podman("container", "inspect", "--format={{.State.ExitCode}}", container) == "0"
        log = engine.podman("logs", container)
    assert all(json.loads(line)["level"] == "info" for line in log.splitlines())
    assert organisation.mandate("ledger", "verify").exit_code == 0


@contextmanager
def started(engine: Engine, image: str, folder: Path) -> Iterator[str]:
    """A container that serves the organisation in this folder."""
    options = ("--network=host", "--tmpfs=/tmp", f"--volume={folder}:/org", "--workdir=/org", "--memory=512m")
    command = ("serve", "--set=opa.binary=/usr/local/bin/opa")
    container = engine.podman("run", "--detach", *CONFINED, *options, image, *command)
    try:
        yield container
    finally:
        engine.podman("rm", "--force", container)


def own(folder: Path) -> None:
    """Give it to the user of the image."""
    subprocess.run(["chown", "--recursive", f"{USER}:{USER}", folder], check=True)
    for parent in folder.parents:
        if parent.owner() == "root" and parent.stat().st_mode & 0o077 == 0 and parent != Path(os.sep):
            parent.chmod(0o711)
