"""The wheel, installed into an empty environment and used outside the checkout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.organisation import GOOD, TRUSTING

CHECKOUT = Path(__file__).resolve().parents[1]
UV = Path(sys.executable).with_name("uv")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder],
        cwd=CHECKOUT,
        check=True,
        capture_output=True,
    )
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def mandate(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command in an environment that has nothing but the wheel and what it depends on."""
    environment = tmp_path_factory.mktemp("environment") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    python = environment / "bin/python"
    locked = CHECKOUT / "requirements/dev.lock"
    subprocess.run(
        [UV, "pip", "install", "--quiet", "--python", python, "--constraint", locked, wheel],
        check=True,
        capture_output=True,
    )
    return environment / "bin/mandate"


def run(mandate: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        [mandate, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_policies_and_the_recipe_of_opa_travel_in_the_wheel(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    for path in (
        "policies/mandate/main/main.rego",
        "policies/thresholds/fairness.yaml",
        "policies/schemas/input.json",
        "opa/go.mod",
        "opa/go.sum",
        "opa/versions.json",
        "opa/capabilities.json",
        "opa/regal/go.sum",
    ):
        assert f"mandate/_share/{path}" in names
    for file in ("queries.sql", "sqlite/0001.sql", "postgresql/0001.sql", "postgresql_objects.json"):
        assert f"mandate/engine/evidence/sql/{file}" in names
    assert not [name for name in names if name.startswith(("tests/", "examples/"))]


def test_the_installed_command_judges_and_records(mandate: Path, tmp_path: Path) -> None:
    (tmp_path / "good.json").write_text(json.dumps(GOOD))
    assert run(mandate, tmp_path, "init", "--name", "bank.example/models").returncode == 0
    denied = run(mandate, tmp_path, "check", "--input", "good.json", "--output", "json")
    assert denied.returncode == 1, denied.stderr
    (tmp_path / "policies/thresholds/evidence.yaml").write_text(TRUSTING)
    allowed = run(mandate, tmp_path, "check", "--input", "good.json", "--output", "json")
    assert allowed.returncode == 0, allowed.stdout + allowed.stderr
    assert "5 entries" in run(mandate, tmp_path, "ledger", "verify").stdout


def test_without_the_collectors_libraries_it_says_how_to_get_them(mandate: Path, tmp_path: Path) -> None:
    assert run(mandate, tmp_path, "init", "--name", "bank.example/models").returncode == 0
    doctor = run(mandate, tmp_path, "doctor")
    assert doctor.returncode == 2
    assert "Run `pip install 'mandate[collectors]'`" in doctor.stdout
    server = ("--set", "registry.tracking_uri=http://127.0.0.1:9")
    asked = run(mandate, tmp_path, "check", "models:/credit/1", *server)
    assert asked.returncode == 2
    assert "without mlflow the model registry cannot be asked" in asked.stderr
    assert "mandate[collectors]" in asked.stderr


def test_the_installed_policies_pass_their_own_check(mandate: Path, tmp_path: Path) -> None:
    shown = run(mandate, tmp_path, "policy", "check")
    assert (shown.returncode, shown.stdout) == (0, "✓ no problems\n"), shown.stdout + shown.stderr
