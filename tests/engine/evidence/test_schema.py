from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError

from mandate.engine.decision import Decision, Judgement
from mandate.engine.evidence import statement
from mandate.engine.input.document import Input

from .conftest import stated

ROOT = Path(__file__).parents[3]
PUBLISHED = json.loads((ROOT / "schemas/decision.v1.json").read_text("utf-8"))


def predicate(document: Input, judgement: Judgement) -> dict[str, object]:
    return dict(json.loads(statement.payload(stated(document, judgement)))["predicate"])


def test_published_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(PUBLISHED)


def test_every_predicate_is_of_the_published_shape(document: Input, judgement: Judgement) -> None:
    validator = Draft202012Validator(PUBLISHED, format_checker=FormatChecker())
    validator.validate(predicate(document, judgement))
    unanswered = judgement.model_copy(
        update={"decision": Decision.undecided("OPA is down"), "opa_version": None}
    )
    validator.validate(predicate(document, unanswered))


@pytest.mark.parametrize(
    "change",
    [{"id": "1"}, {"extra": 1}, {"outcome": "maybe"}, {"inputSha256": "AB" * 32}, {"input": {}}, {"opa": {}}],
)
def test_another_shape_is_refused(document: Input, judgement: Judgement, change: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Draft202012Validator(PUBLISHED).validate(predicate(document, judgement) | change)
