"""The units, as systemd itself reads and rates them."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from mandate.engine.configuration import Settings
from mandate.engine.service import server
from tests.kube.manifests import parsed

FOLDER = Path(__file__).parents[2] / "deploy/systemd"
SERVICES = sorted(file.name for file in FOLDER.glob("*.service"))
OPTIONS = {"mandate.service": 15, "mandate-opa.service": 10, "mandate-certificates.service": 10}
"""The highest exposure of each, in tenths: 100 is a service that nothing confines."""


def test_systemd_finds_no_fault_in_them(tmp_path: Path) -> None:
    for file in FOLDER.glob("mandate*.*"):
        # The programs are where an installation puts them, and not here.
        text = re.sub(r"/opt/mandate/bin/\w+", "/bin/true", file.read_text())
        (tmp_path / file.name).write_text(text)
    units = [*tmp_path.glob("*.service"), *tmp_path.glob("*.timer")]
    ran = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stdout + ran.stderr) == (0, "")


@pytest.mark.parametrize("name", SERVICES)
def test_systemd_rates_them_as_confined(name: str) -> None:
    threshold = f"--threshold={OPTIONS[name]}"
    ran = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", threshold, FOLDER / name],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-200:]


@pytest.mark.parametrize("name", SERVICES)
def test_they_run_as_a_user_of_their_own(name: str) -> None:
    assert "\nUser=mandate\nGroup=mandate\n" in (FOLDER / name).read_text()


def test_the_service_has_the_time_that_it_needs_to_end() -> None:
    (settings,) = parsed((FOLDER / "mandate.yaml").read_text())
    (seconds,) = re.findall(r"^TimeoutStopSec=(\d+)$", (FOLDER / "mandate.service").read_text(), re.MULTILINE)
    assert server.grace(Settings.model_validate(settings).service) + 5 <= int(seconds)


def test_the_socket_is_where_the_service_looks_for_it() -> None:
    (settings,) = parsed((FOLDER / "mandate.yaml").read_text())
    text = (FOLDER / "mandate-opa.service").read_text()
    assert f"--addr={settings['opa']['url']} " in text
    assert "RuntimeDirectory=mandate-opa\n" in text


def test_systemd_is_here() -> None:
    assert shutil.which("systemd-analyze"), "run `apt-get install systemd`"
