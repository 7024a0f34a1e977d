"""The shipped chart, as Helm puts it together."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tests.kube import programs
from tests.kube.manifests import ROOT, Object, parsed

CHART = ROOT / "deploy/helm/mandate"
_RELEASE = ("mandate", str(CHART), "--namespace=mandate", "--kube-version=1.36.3")


def helm(*arguments: str, home: Path) -> subprocess.CompletedProcess[str]:
    """Run Helm, with a home of its own."""
    own = {f"HELM_{name}_HOME": str(home) for name in ("CACHE", "CONFIG", "DATA")}
    return subprocess.run(
        [programs.helm(), *arguments],
        env={**os.environ, **own},
        capture_output=True,
        text=True,
        check=False,
    )


def template(*more: str, home: Path) -> subprocess.CompletedProcess[str]:
    """What an installation would be."""
    return helm("template", *_RELEASE, *more, home=home)


def made(*more: str, home: Path) -> list[Object]:
    """The objects of an installation."""
    ran = template(*more, home=home)
    assert (ran.returncode, ran.stderr) == (0, ""), ran.stderr
    return parsed(ran.stdout)


def values() -> dict[str, Any]:
    """What the chart's values are, unless they are others."""
    read: dict[str, Any] = YAML(typ="safe").load(CHART / "values.yaml")
    return read
