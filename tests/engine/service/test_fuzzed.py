"""What nobody honest sends: no internal error, no allow, and every answer as the OpenAPI document says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from jsonschema import Draft202012Validator
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from mandate.engine.service.access.roles import Role
from tests.engine.service.test_faults import Shared
from tests.fuzzing import fuzz
from tests.organisation import founded
from tests.served import served
from tests.service import bearer

REQUESTS = 2500
CONFORMANCE = [status_code_conformance, content_type_conformance, response_schema_conformance]
FEW = settings(
    max_examples=12,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def wary(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    """A service that accepts no facts that are only reported: nothing here can be allowed."""
    organisation = founded(tmp_path_factory.mktemp("wary"))
    with served(organisation, limits={"seconds": 5}, collect={"workers": 0}) as running:
        yield Shared(organisation, running)


@pytest.fixture(scope="module")
def document(wary: Shared) -> Any:
    with wary.client() as client:
        return client.get("/openapi.json").json()


def test_thousands_of_wrong_requests_get_thousands_of_right_answers(wary: Shared, document: Any) -> None:
    found = fuzz(("127.0.0.1", wary.port), document, count=REQUESTS, seed=6)
    statuses = {status for _, status in found}
    assert {200, 400, 401, 403, 404, 405, 415, 422} <= statuses
    assert sum(found.values()) == REQUESTS
    assert sum(count for (_, status), count in found.items() if status == 0) < REQUESTS / 10
    allowed = wary.organisation.mandate("ledger", "query", "--outcome", "allow", "--output", "json")
    assert allowed.json["entries"] == []
    assert wary.organisation.mandate("ledger", "verify").exit_code == 0
    with wary.client() as client:
        assert client.get("/readyz").text == "ready\n"


def test_no_request_writes_a_line_of_the_log_that_is_not_the_services(wary: Shared, document: Any) -> None:
    fuzz(("127.0.0.1", wary.port), document, count=300, seed=7)
    log = (wary.organisation.folder / "serve.log").read_bytes()
    assert all(32 <= byte < 127 or byte == 10 for byte in log)
    lines = [json.loads(line) for line in log.splitlines()]
    assert {line["level"] for line in lines} <= {"info", "warning"}
    assert all(line["logger"].startswith(("mandate.", "uvicorn")) for line in lines)


@pytest.mark.filterwarnings("ignore")  # of what Schemathesis and its parts use
@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: str(mode.value))
@pytest.mark.parametrize("role", [Role.DECIDER, Role.AUDITOR, Role.APPROVER])
def test_answers_conform_to_the_openapi_document(
    wary: Shared, document: Any, mode: GenerationMode, role: Role
) -> None:
    asked = 0
    for result in schemathesis.openapi.from_dict(document).get_all_operations():
        assert isinstance(result, Ok)

        def ask(case: Any) -> None:
            nonlocal asked
            case.headers = {**(case.headers or {}), **bearer(role)}
            answer = case.call(base_url=wary.running.url)
            assert answer.status_code < 500 or answer.status_code == 503
            case.validate_response(answer, checks=CONFORMANCE)
            asked += 1

        with suppress(Unsatisfiable):  # nothing can be wrong with a request that takes nothing
            FEW(given(case=result.ok().as_strategy(generation_mode=mode))(ask))()
    assert asked > 80


def test_the_examples_in_the_openapi_document_are_what_their_schemas_say(document: Any) -> None:
    counted = 0
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            for media in operation.get("requestBody", {}).get("content", {}).values():
                schema = media["schema"]
                examples = [
                    *schema.get("examples", ()),
                    *(each["value"] for each in media.get("examples", {}).values()),
                    *([media["example"]] if "example" in media else ()),
                ]
                assert examples, f"{method} {path} has no example"
                whole = {**schema, "components": document.get("components", {})}
                for example in examples:
                    Draft202012Validator(whole).validate(example)
                    counted += 1
    assert counted >= 6
