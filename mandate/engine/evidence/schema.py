"""The published JSON Schema of a decision's predicate.

Run as a module, it rewrites the file: `python -m mandate.engine.evidence.schema`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from ..input.schema import portable, text
from .predicate import DecisionPredicate

SCHEMA_ID = "https://mandate.dev/schemas/decision/v1"
_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_FILE = Path("schemas/decision.v1.json")


def json_schema() -> dict[str, Any]:
    """The schema of what `https://mandate.dev/attestations/decision/v1` states (JSON Schema 2020-12)."""
    return {"$schema": _DIALECT, "$id": SCHEMA_ID, **portable(DecisionPredicate.model_json_schema())}


def main(root: Path) -> None:
    """Write `schemas/decision.v1.json` below `root`."""
    (root / _FILE).write_text(text(json_schema()), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path.cwd())
