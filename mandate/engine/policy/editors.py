"""How editors find the JSON Schema of a YAML file: the comment that yaml-language-server reads."""

from __future__ import annotations

import os
from pathlib import Path

FOLDER = "schemas"
"""Beside the ledger."""


def line(file: Path, state: Path) -> str:
    """The comment for `file`, whose schema has the same name: `fairness.json` for `fairness.yaml`."""
    name = f"{file.parent.name}/{file.stem}" if file.parent.name in ("thresholds", "waivers") else file.stem
    schema = os.path.relpath(state / FOLDER / f"{name}.json", file.parent)
    return f"# yaml-language-server: $schema={schema}"
