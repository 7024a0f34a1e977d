"""What OPA's type checker is told of the input."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from mandate.engine.input.schema import opa_schema

RULE = """# METADATA
# schemas:
#   - input: schema.input
package mandate.rules.sample

wrong if {path}
"""


def kinds(schema: Any) -> set[str]:
    """Every `type` in the schema."""
    if isinstance(schema, list):
        return {kind for part in schema for kind in kinds(part)}
    if not isinstance(schema, dict):
        return set()
    own = {schema["type"]} if isinstance(schema.get("type"), str) else set()
    return own | {kind for part in schema.values() for kind in kinds(part)}


def test_nothing_may_be_null_or_every_name_below_it_would_pass() -> None:
    assert kinds(opa_schema()) == {"object", "array", "string", "number", "integer", "boolean"}


@pytest.mark.parametrize(
    "path",
    [
        "input.performance.metrcs",
        "input.fairness.atributes[0].name",
        "input.drift.columns[0].psi.valeu",
        "input.provenance.code.comit",
        "input.developers[0].certificates[0].expired",
        "input.approvals[0].digest",
        "input.subjct.name",
    ],
)
def test_a_mistyped_name_fails_the_check(opa: Path, tmp_path: Path, path: str) -> None:
    (tmp_path / "input.json").write_text(json.dumps(opa_schema()))
    rule = tmp_path / "sample.rego"
    rule.write_text(RULE.replace("{path}", path))
    checked = subprocess.run(
        [opa, "check", "--strict", "--schema", tmp_path, rule], capture_output=True, text=True, check=False
    )
    assert checked.returncode != 0
    assert "rego_type_error: undefined ref" in checked.stderr
