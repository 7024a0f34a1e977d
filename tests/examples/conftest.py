"""The credit example, run once: its workspace has a real registry, ledger and repository."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the demo runs."""
    return tmp_path_factory.mktemp("credit") / "workspace"


@pytest.fixture(scope="session")
def demo(workspace: Path) -> subprocess.CompletedProcess[str]:
    """The demo, run as `make demo` runs it."""
    return subprocess.run(
        [sys.executable, "-m", "examples.credit.demo", "--workspace", str(workspace)],
        cwd=CHECKOUT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="session")
def credit(demo: subprocess.CompletedProcess[str], workspace: Path) -> Path:
    """The demo's workspace after the whole story: copy what you change.

    It has `mandate.yaml`; versions 1 and 2 of `credit` are registered, `champion` names version 2, and three
    decisions are recorded.
    """
    assert demo.returncode == 0, demo.stdout
    return workspace
