"""Who may do what: every cell of the table, and whoever is not known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mandate.engine.errors import BadConfiguration
from mandate.engine.service.access import tokens
from mandate.engine.service.access.roles import ACCESS, Role
from mandate.engine.service.access.tokens import Callers
from tests.service import TOKENS, Serving

ROUTES = {
    "decide": ("POST", "/v1/decisions"),
    "decide_batch": ("POST", "/v1/decisions:batch"),
    "decision": ("GET", "/v1/decisions/0000"),
    "decisions": ("GET", "/v1/decisions"),
    "status": ("GET", f"/v1/subjects/{'0' * 64}/status?environment=production"),
    "admission": ("POST", "/v1/admission/production"),
    "approve": ("POST", "/v1/approvals"),
    "waive": ("POST", "/v1/waivers"),
    "event": ("POST", "/v1/events"),
    "checkpoint": ("GET", "/v1/checkpoint"),
    "proof": ("GET", "/v1/proofs/0000"),
    "consistency": ("GET", "/v1/consistency?first=0&second=0"),
}


def test_every_route_is_in_the_table(service: Serving) -> None:
    paths = service.client.get("/openapi.json").json()["paths"]
    named = {
        (method.upper(), path) for path, methods in paths.items() for method in methods if path[:4] == "/v1/"
    }
    assert len(named) == len({name for name in ACCESS if name in ROUTES})


@pytest.mark.parametrize("role", [*Role, None])
@pytest.mark.parametrize("route", ROUTES)
def test_a_route_answers_the_roles_of_the_table_and_nobody_else(
    service: Serving, route: str, role: Role | None
) -> None:
    method, path = ROUTES[route]
    before = len(service.organisation.entries())
    response = service.call(method, path, role=role, content=b"no body that could be judged")
    if role is None:
        assert (response.status_code, response.json()["title"]) == (401, "Nobody knows you")
    elif role in ACCESS[route]:
        assert response.status_code not in (401, 403)
    else:
        assert (response.status_code, response.json()["title"]) == (403, "You may not do this")
    assert len(service.organisation.entries()) == before


@pytest.mark.parametrize(
    "header",
    [
        "Bearer wrong",
        "Bearer",
        "Basic bWFuZGF0ZTptYW5kYXRl",
        f"Bearer {TOKENS[Role.DECIDER][1]}",  # the hash is no token
        f"Token {TOKENS[Role.DECIDER][0]}",
        f"Bearer {TOKENS[Role.DECIDER][0]}x",
        f"Bearer {TOKENS[Role.DECIDER][0][:-1]}",
        "Bearer \udcff",
    ],
    ids=["wrong", "none", "another scheme", "hash", "no bearer", "one more", "one less", "not ASCII"],
)
def test_a_token_that_is_not_on_the_list_is_nobodys(service: Serving, header: str) -> None:
    raw = header.encode("utf-8", "surrogateescape")
    response = service.client.post("/v1/decisions", headers=[(b"authorization", raw)])
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == 'Bearer realm="mandate"'


def test_whom_a_body_claims_to_be_is_never_believed(service: Serving) -> None:
    document = {
        "subject": {"name": "credit", "version": "1", "uri": "models:/credit/1"},
        "request": {"requested_by": "the board"},
    }
    response = service.decide(document)
    assert response.json().get("request", {}).get("requested_by", "decider") == "decider"


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_a_new_list_counts_at_once_and_a_bad_one_never(tmp_path: Path) -> None:
    token, sha256 = tokens.new()
    file = written(tmp_path / "callers.yaml", f"- {{name: ci, roles: [decider], token_sha256: [{sha256}]}}\n")
    callers = Callers(file)
    assert callers.by_token(token) is not None
    written(file, "- {name: ci, roles: [king]}\n")
    assert callers.by_token(token) is not None
    assert "0.roles.0" in str(callers.problem)
    written(file, "[]\n")
    assert callers.by_token(token) is None
    assert not callers.problem
    file.unlink()
    assert callers.by_token(token) is None
    assert "cannot be read" in str(callers.problem)


def test_a_caller_who_has_expired_is_not_known(tmp_path: Path) -> None:
    token, sha256 = tokens.new()
    for days, known in ((1, True), (-1, False)):
        expires = (datetime.now(UTC) + timedelta(days=days)).isoformat(timespec="seconds")
        text = f'- {{name: ci, roles: [decider], token_sha256: [{sha256}], expires: "{expires}"}}\n'
        file = written(tmp_path / "callers.yaml", text)
        assert (Callers(file).by_token(token) is not None) is known


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("- {name: a, roles: []}", "0.roles: list should have at least 1 item"),
        ("- {name: a, roles: [decider], password: x}", "0.password: extra inputs are not permitted"),
        ("- {name: a, roles: [decider], token_sha256: [abc]}", "0.token_sha256.0: string should match"),
        ("- {name: a, roles: [decider]}\n- {name: a, roles: [auditor]}", "'a', its token or"),
        ("a: b", "input should be a valid list"),
    ],
)
def test_a_list_that_is_wrong_is_refused_with_the_line(tmp_path: Path, text: str, fault: str) -> None:
    file = written(tmp_path / "callers.yaml", text)
    with pytest.raises(BadConfiguration) as error:
        Callers(file)
    assert fault in error.value.what
    assert error.value.where.startswith(f"{file}:")
