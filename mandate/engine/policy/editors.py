"""How editors find the JSON Schema of a YAML file: the comment that yaml-language-server reads."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from ..errors import BadConfiguration
from .people import FOLDER as PEOPLE
from .waivers import FOLDER as WAIVERS

FOLDER = "schemas"
"""Beside the ledger."""


def line(file: Path, state: Path) -> str:
    """The comment that names the schema of `file`, such as `policies/thresholds/fairness.yaml`."""
    schema = os.path.relpath(state / FOLDER / f"{schema_of(file)}.json", file.parent)
    return f"# yaml-language-server: $schema={schema}"


def schema_of(file: Path) -> str:
    """The name of its schema, such as `thresholds/fairness`."""
    folder = f"{file.parent.name}/"
    if folder in (PEOPLE, WAIVERS):
        return file.parent.name
    return f"{folder}{file.stem}" if folder == "thresholds/" else file.stem


def write(schemas: Mapping[str, str], state: Path) -> Path:
    """Write the schemas by their names; the folder that has them. `BadConfiguration` if they cannot be."""
    folder = state / FOLDER
    try:
        for name, text in schemas.items():
            file = folder / f"{name}.json"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
    except OSError as failure:
        raise BadConfiguration(
            f"the schemas cannot be written: {failure.strerror}",
            where=str(failure.filename or folder),
            next_step="Make it a folder that can be written",
        ) from failure
    return folder
