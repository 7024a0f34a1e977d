"""The published schemas are those of the code."""

from __future__ import annotations

from pathlib import Path

import pytest
from jsonschema.validators import validator_for

from mandate import schemas
from mandate.engine.input.schema import text

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("name", schemas.FILES)
def test_a_published_schema_is_that_of_the_code(name: str) -> None:
    """If this fails, run `make schemas`; a released shape needs a new version."""
    schema = schemas.FILES[name]()
    assert (ROOT / name).read_text("utf-8") == text(schema)
    validator_for(schema).check_schema(schema)


def test_every_published_schema_is_made_of_the_code() -> None:
    assert {str(file.relative_to(ROOT)) for file in (ROOT / "schemas").rglob("*.json")} == {
        name for name in schemas.FILES if name.startswith("schemas/")
    }


def test_schemas_are_written_below_the_given_root(tmp_path: Path) -> None:
    schemas.write(tmp_path)
    for name in schemas.FILES:
        assert (tmp_path / name).read_bytes() == (ROOT / name).read_bytes()
