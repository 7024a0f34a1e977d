"""The published JSON Schemas: which files there are, and what each says.

Run as a module, it rewrites them: `python -m mandate.schemas`. A released shape is never changed: it needs a
new version, with a new file.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from .collectors import approvals, developers, provenance
from .engine.evidence import schema as decision
from .engine.input import schema as document

FILES: Mapping[str, Callable[[], dict[str, Any]]] = {
    "schemas/approvals.v1.json": approvals.schema,
    "schemas/decision.v1.json": decision.json_schema,
    "schemas/developers.v1.json": developers.schema,
    "schemas/input.v1.json": document.json_schema,
    "schemas/provenance.v1.json": provenance.schema,
    "policies/schemas/input.json": document.opa_schema,
}
"""By the path from the project's root."""


def write(root: Path) -> None:
    """Write all files below `root`."""
    for name, schema in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(document.text(schema()), encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else Path.cwd())
