"""The images, as far as they can be shown where no image can be built: their recipe, and what it installs."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from mandate.engine.opa import locate
from tests.kube.door import eventually
from tests.organisation import founded
from tests.test_architecture import HEAVY

ROOT = Path(__file__).parents[2]
FILE = ROOT / "deploy/container/Containerfile"
FINAL = ("service", "collector")
UV = Path(sys.executable).with_name("uv")


@dataclass
class Stage:
    """One stage of the recipe."""

    base: str
    instructions: list[tuple[str, str]] = field(default_factory=list)

    def all(self, name: str) -> list[str]:
        return [rest for instruction, rest in self.instructions if instruction == name]


def stages() -> dict[str, Stage]:
    text = re.sub(r"\\\n\s*", "", FILE.read_text())
    found: dict[str, Stage] = {}
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        instruction, rest = line.split(" ", 1)
        if instruction == "FROM":
            base, name = rest.split(" AS ")
            found[name] = current = Stage(base)
        elif found:
            current.instructions.append((instruction, rest))
        else:
            # A default would be whatever a tag means on the day of the build.
            assert (instruction, rest) in {("ARG", "PYTHON_IMAGE"), ("ARG", "GO_IMAGE")}
    return found


def lineage(name: str) -> list[tuple[str, str]]:
    """The instructions of a stage and of those that it stands on."""
    stage = stages()[name]
    below = lineage(stage.base) if stage.base in stages() else []
    return [*below, *stage.instructions]


def test_every_stage_stands_on_an_image_that_the_builder_pins_or_on_an_earlier_one() -> None:
    found = stages()
    earlier: set[str] = set()
    for name, stage in found.items():
        assert stage.base in {"${PYTHON_IMAGE}", "${GO_IMAGE}"} | earlier, name
        earlier.add(name)
    assert set(FINAL) < set(found)


@pytest.mark.parametrize("name", FINAL)
def test_an_image_runs_as_nobody_and_starts_mandate(name: str) -> None:
    instructions = dict(lineage(name))
    assert re.fullmatch(r"65532:65532", instructions["USER"])
    assert (instructions["ENTRYPOINT"], "mandate" in scripts()) == ('["mandate"]', True)
    assert [rest for instruction, rest in lineage(name) if instruction == "ADD"] == []


def scripts() -> dict[str, str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    found: dict[str, str] = project["project"]["scripts"]
    return found


def test_what_is_copied_is_there() -> None:
    found = stages()
    for stage in found.values():
        for copied in stage.all("COPY"):
            *sources, _ = copied.split()
            if sources[0].startswith("--from="):
                assert sources[0].removeprefix("--from=") in found
            else:
                assert [source for source in sources if not (ROOT / source).exists()] == []


def test_what_is_ignored_is_the_same_for_every_builder() -> None:
    assert (ROOT / ".containerignore").read_text() == (ROOT / ".dockerignore").read_text()


def pins(name: str) -> dict[str, set[str]]:
    """The hashes of each version that a lock file has."""
    found: dict[str, set[str]] = {}
    current: set[str] = set()
    for line in (ROOT / "requirements" / name).read_text().splitlines():
        if pinned := re.match(r"([a-z0-9.-]+==\S+)", line):
            current = found.setdefault(pinned[1], set())
        current.update(re.findall(r"sha256:[0-9a-f]{64}", line))
    return found


@pytest.mark.parametrize("name", ["service.lock", "collector.lock", "build.lock"])
def test_what_is_installed_is_what_is_tested(name: str) -> None:
    """If this fails, run `make lock`."""
    tested = pins("dev.lock")
    installed = pins(name)
    assert {pin: hashes for pin, hashes in installed.items() if not hashes} == {}
    assert installed.items() <= tested.items()


def test_the_collector_has_what_the_service_has_and_the_libraries_that_collect() -> None:
    service, collector = pins("service.lock"), pins("collector.lock")
    assert service.items() <= collector.items()
    names = {pin.partition("==")[0] for pin in collector}
    assert {"mlflow", "pandas", "scikit-learn", "fairlearn", "evidently", "pyarrow"} <= names


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment with what the image `service` installs, from the same files."""
    folder = tmp_path_factory.mktemp("image")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = folder.glob("*.whl")
    environment = folder / "opt"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    install = (UV, "pip", "install", "--quiet", "--no-deps", "--python", environment / "bin/python")
    locked = ROOT / "requirements/service.lock"
    subprocess.run([*install, "--require-hashes", "--requirement", locked], check=True, capture_output=True)
    subprocess.run([*install, wheel], check=True, capture_output=True)
    return environment / "bin"


def test_the_service_has_none_of_the_libraries_that_collect(installed: Path) -> None:
    code = f"import importlib.util as u; print([n for n in {HEAVY!r} if u.find_spec(n)])"
    ran = subprocess.run([installed / "python", "-I", "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
    size = sum(file.stat().st_size for file in installed.parent.rglob("*") if file.is_file())
    assert size < 150 << 20


def test_it_suffices_to_serve(installed: Path, tmp_path: Path) -> None:
    organisation = founded(tmp_path)
    (tmp_path / "callers.yaml").write_text("[]\n")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    settings = f"\nservice: {{listen: '127.0.0.1:{port}', collect: {{workers: 0}}}}\n"
    with (tmp_path / "mandate.yaml").open("a") as file:
        file.write(settings)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    opa = str(locate.find_opa())
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [installed / "mandate", "serve", "--set", f"opa.binary={opa}"],
            cwd=organisation.folder,
            env=environment,
            stdout=log,
            stderr=log,
        )
    try:
        eventually(lambda: httpx.get(f"http://127.0.0.1:{port}/readyz").status_code == 200)
    finally:
        process.terminate()
        assert process.wait(30) == 0, (tmp_path / "log").read_text()
