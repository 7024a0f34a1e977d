"""The recipe of the images, as it is written; `containers/` builds and runs one."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILE = ROOT / "deploy/container/Containerfile"
FINAL = ("service", "collector")


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
