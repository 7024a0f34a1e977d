"""The image of `deploy/container`, built once for all tests here: on Debian, by this machine's Go."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from mandate.engine.opa import places
from tests.deploy.containers.engine import Engine, missing
from tests.deploy.containers.released import Released

ROOT = Path(__file__).parents[3]
IMAGES = Path(__file__).parent / "images"
BASE = "localhost/python"
SERVICE = "localhost/mandate-service"

_PACKAGES = "python3,python3-venv,python3-pip,python-is-python3,ca-certificates"
_HOOKS = (
    # Python of the official images is nobody else's either.
    'rm -f "$1"/usr/lib/python3*/EXTERNALLY-MANAGED',
    # Whom this machine trusts: a proxy may stand between it and the packages.
    'cp /etc/ssl/certs/ca-certificates.crt "$1"/etc/ssl/certs/',
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of them run in one process, which has the engine."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("containers"))


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An engine with a Debian that has Python, `BASE`."""
    if os.geteuid() != 0:
        pytest.skip("containers as this machine starts them need root")
    if absent := missing():
        pytest.skip(f"run `apt-get install {' '.join(absent)}`")
    engine = Engine.make(tmp_path_factory.mktemp("engine"))
    try:
        engine.podman("import", "--quiet", _debian(), BASE)
        yield engine
    finally:
        engine.remove()


@pytest.fixture(scope="session")
def service(engine: Engine) -> str:
    """The image `service`."""
    go = _go(engine)
    mounted = [_go_env(name) for name in ("GOROOT", "GOMODCACHE", "GOCACHE")]
    volumes = [f"--volume={folder}:{folder}" for folder in mounted]
    arguments = [f"--build-arg=PYTHON_IMAGE={BASE}", f"--build-arg=GO_IMAGE={go}", "--target=service"]
    engine.build(SERVICE, ROOT / "deploy/container/Containerfile", ROOT, *arguments, *volumes)
    return SERVICE


@pytest.fixture(scope="session")
def released(tmp_path_factory: pytest.TempPathFactory) -> Released:
    """What is deployed beside an image."""
    return Released.make(tmp_path_factory.mktemp("released"))


def _debian() -> Path:
    """Made once a user, as the programs of the tests are."""
    folder = places.data_home() / "debian-bookworm"
    folder.mkdir(parents=True, exist_ok=True)
    archive = folder / "python.tar"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not archive.exists():
            made = folder / "made.tar"
            hooks = [f"--customize-hook={hook}" for hook in _HOOKS]
            command = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={_PACKAGES}", *hooks]
            subprocess.run([*command, "--aptopt=Acquire::Retries 3", "bookworm", made], check=True)
            made.replace(archive)
    return archive


def _go(engine: Engine) -> str:
    """An image that finds the Go of this machine, where that is mounted."""
    image = "localhost/go"
    container = engine.run("buildah", "from", BASE).stdout.strip()
    settings = [f"--env=PATH={_go_env('GOROOT')}/bin:{os.defpath}"]
    settings += [f"--env={name}={_go_env(name)}" for name in ("GOPROXY", "GOMODCACHE", "GOCACHE")]
    engine.run("buildah", "config", *settings, container)
    engine.run("buildah", "commit", "--rm", container, image)
    return image


def _go_env(name: str) -> str:
    program = shutil.which("go")
    assert program, "install Go"
    return subprocess.run([program, "env", name], capture_output=True, text=True, check=True).stdout.strip()
