"""What an export says in words: how to verify it, and what its statements mean."""

from __future__ import annotations

from importlib import resources

from ...input.schema import text
from .. import predicates
from ..predicates.base import AUTHORITY
from ..schema import json_schema
from . import layout, manifest


def texts() -> dict[str, bytes]:
    """The files by their names."""
    readme = (resources.files(__package__) / layout.README).read_bytes()
    schemas = {
        f"schemas/{kind.removeprefix(AUTHORITY).replace('/', '.')}.json": json_schema(kind)
        for kind in sorted(predicates.TYPES)
    } | {"schemas/export-manifest.v1.json": manifest.json_schema()}
    return {layout.README: readme} | {name: text(schema).encode() for name, schema in schemas.items()}
