"""The shipped manifests, as kubectl puts them together, and how the API server takes them."""

from __future__ import annotations

import subprocess
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tests.kube import programs

ROOT = Path(__file__).parents[2]
KUBERNETES = ROOT / "deploy/kubernetes"

Object = dict[str, Any]
APPLY = ("apply", "--server-side", "--validate=strict", "-f", "-")


def rendered(folder: Path = KUBERNETES) -> list[Object]:
    """The objects of a kustomization."""
    ran = subprocess.run(
        [programs.kubectl(), "kustomize", folder], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    return parsed(ran.stdout)


def parsed(text: str) -> list[Object]:
    """The objects of a stream of YAML documents."""
    return [found for found in YAML(typ="safe").load_all(StringIO(text)) if found]


def name_of(found: Object) -> str:
    """The kind and name."""
    return f"{found['kind']}/{found['metadata']['name']}"


def listed(objects: list[Object]) -> Object:
    """What kubectl takes for all of them."""
    return {"apiVersion": "v1", "kind": "List", "items": objects}


def by_name(objects: list[Object]) -> dict[str, Object]:
    """The objects by kind and name, each there once."""
    named = {name_of(found): found for found in objects}
    assert len(named) == len(objects)
    return named
