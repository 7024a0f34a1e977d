"""Who may do what: every cell of the table, and whoever is not known."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass

import httpx
import pytest

from mandate.engine.service.access.roles import ACCESS, OPEN, Role
from tests.authority import Authority
from tests.issuer import Issuer, issuing
from tests.organisation import GOOD
from tests.service import CA, TLS, TOKENS, Serving, bearer, context, serving

ROUTES = {
    "decide": ("POST", "/v1/decisions", ""),
    "decide_batch": ("POST", "/v1/decisions:batch", ""),
    "decision": ("GET", "/v1/decisions/{reference}", ""),
    "decisions": ("GET", "/v1/decisions", ""),
    "status": ("GET", "/v1/subjects/{digest}/status", "environment=production"),
    "admission": ("POST", "/v1/admission/{environment}", ""),
    "approve": ("POST", "/v1/approvals", ""),
    "waive": ("POST", "/v1/waivers", ""),
    "event": ("POST", "/v1/events", ""),
    "person": ("GET", "/v1/people", f"keyid=SHA256:{'0' * 43}"),
    "facts": ("POST", "/v1/facts", ""),
    "checkpoint": ("GET", "/v1/checkpoint", ""),
    "proof": ("GET", "/v1/proofs/{reference}", ""),
    "consistency": ("GET", "/v1/consistency", "first=0&second=0"),
    "liveness": ("GET", "/healthz", ""),
    "readiness": ("GET", "/readyz", ""),
    "metrics": ("GET", "/metrics", ""),
}
"""By the route's name, with the query without which it answers nothing."""
EXAMPLES = {"{reference}": "0000", "{digest}": "0" * 64, "{environment}": "production"}


def target(route: str) -> tuple[str, str]:
    """Method and path of a request that the route would understand."""
    method, path, query = ROUTES[route]
    for name, value in EXAMPLES.items():
        path = path.replace(name, value)
    return method, f"{path}?{query}"


@dataclass(frozen=True)
class Guarded:
    """A service that lets nobody read its probes without a role, and all means of being known to it."""

    service: Serving
    issuer: Issuer
    certified: Mapping[Role | None, httpx.Client]
    """A client with a certificate for each role, and one whose certificate is not on the list."""

    def call(self, means: str, role: Role | None, method: str, path: str) -> httpx.Response:
        """A request by the caller of this role, or by somebody who has none."""
        content = b"no body that could be judged"
        if means == "certificate":
            return self.certified[role].request(method, path, content=content)
        if means == "token":
            return self.service.call(method, path, role=role, content=content)
        token = self.issuer.token(does=role.value if role else "nothing")
        headers = {"Authorization": f"Bearer {token}"}
        return self.service.client.request(method, path, headers=headers, content=content)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    folder = tmp_path_factory.mktemp("guarded")
    authority = Authority("authority")
    authority.issue(folder, "server")
    authority.write(folder / CA)
    with ExitStack() as stack:
        issuer = stack.enter_context(issuing())
        grants = [{"claims": {"does": role.value}, "roles": [role.value]} for role in Role]
        service = stack.enter_context(
            serving(folder, anonymous_probes=False, tls=TLS, oidc=[issuer.settings(grants=grants)])
        )
        certified = {
            role: stack.enter_context(
                httpx.Client(
                    base_url=service.client.base_url,
                    verify=context(folder / CA, authority.issue(folder, role.value if role else "stranger")),
                )
            )
            for role in (*Role, None)
        }
        yield Guarded(service, issuer, certified)


def test_every_route_is_in_the_table_and_there_is_no_other(service: Serving) -> None:
    paths = service.client.get("/openapi.json").json()["paths"]
    described = {(method.upper(), path) for path, methods in paths.items() for method in methods}
    assert described == {(method, path) for method, path, _ in ROUTES.values()}
    assert {*ROUTES, "openapi"} == ACCESS.keys() | OPEN


@pytest.mark.parametrize("role", [*Role, None])
@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("means", ["token", "certificate", "oidc"])
def test_a_route_answers_the_roles_of_the_table_and_nobody_else(
    guarded: Guarded, means: str, route: str, role: Role | None
) -> None:
    organisation = guarded.service.organisation
    before = len(organisation.entries())
    response = guarded.call(means, role, *target(route))
    if route in OPEN:
        assert response.status_code == 200
    elif role is None:
        # An issuer's token without a grant is somebody's who may do nothing.
        nobody = (403, "You may not do this") if means == "oidc" else (401, "Nobody knows you")
        assert (response.status_code, response.json()["title"]) == nobody
    elif role in ACCESS[route]:
        assert response.status_code not in (401, 403)
    else:
        assert (response.status_code, response.json()["title"]) == (403, "You may not do this")
        assert response.json()["detail"].endswith(f"roles {', '.join(sorted(ACCESS[route]))}")
    assert len(organisation.entries()) == before


def test_a_wrong_token_is_not_made_up_for_by_a_certificate(guarded: Guarded) -> None:
    auditor = guarded.certified[Role.AUDITOR]
    assert auditor.get("/v1/decisions").status_code == 200
    assert auditor.get("/v1/decisions", headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert auditor.get("/v1/decisions", headers=bearer(Role.METRICS)).status_code == 403


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/openapi.json"])
def test_probes_answer_everybody_unless_the_settings_say_otherwise(service: Serving, path: str) -> None:
    assert service.call("GET", path, role=None).status_code == 200


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/", "/v1/decisions/", "/docs", "/redoc", "/v2/decisions"])
def test_what_is_no_route_is_404_for_everybody(service: Serving, path: str) -> None:
    for role in (*Role, None):
        assert service.call("GET", path, role=role).status_code == 404


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE", "PROPFIND"])
@pytest.mark.parametrize("route", ROUTES)
def test_a_route_has_one_method(service: Serving, route: str, method: str) -> None:
    assert service.call(method, target(route)[1], role=Role.OPERATOR).status_code == 405


@pytest.mark.parametrize(
    ("path", "methods"),
    [("/v1/decisions", "GET, POST"), ("/v1/decisions:batch", "POST"), ("/v1/checkpoint", "GET")],
)
def test_a_refused_method_is_told_all_that_there_are(service: Serving, path: str, methods: str) -> None:
    response = service.call("PUT", path)
    assert (response.status_code, response.headers["allow"]) == (405, methods)


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
        f"Bearer {TOKENS[Role.DECIDER][0]}, Bearer {TOKENS[Role.DECIDER][0]}",
        f"Bearer {'x' * 20_000}",
        "Bearer \udcff",
    ],
    ids=[
        "wrong",
        "none",
        "another scheme",
        "hash",
        "no bearer",
        "one more",
        "one less",
        "two in one",
        "too long",
        "not ASCII",
    ],
)
def test_a_token_that_is_not_on_the_list_is_nobodys(service: Serving, header: str) -> None:
    raw = header.encode("utf-8", "surrogateescape")
    response = service.client.post("/v1/decisions", headers=[(b"authorization", raw)])
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == 'Bearer realm="mandate"'


def test_two_tokens_are_as_good_as_none(service: Serving) -> None:
    mine = ("Authorization", f"Bearer {TOKENS[Role.AUDITOR][0]}")
    assert service.client.get("/v1/decisions", headers=[mine]).status_code == 200
    response = service.client.get("/v1/decisions", headers=[mine, mine])
    assert response.status_code == 401
    assert response.json()["detail"] == "there is more than one Authorization header"


@pytest.mark.parametrize("name", ["access_token", "token", "authorization", "bearer"])
def test_a_token_anywhere_else_is_not_looked_at(service: Serving, name: str) -> None:
    token = TOKENS[Role.AUDITOR][0]
    response = service.client.get(
        f"/v1/decisions?{name}={token}", headers={f"X-{name.replace('_', '-')}": f"Bearer {token}"}
    )
    assert response.status_code == 401


def test_whom_a_body_claims_to_be_is_never_believed(service: Serving) -> None:
    claimed = {"requested_by": "the board"}
    headers = {"X_Forwarded_User": "the board", "Impersonate_User": "the board", "From": "board@bank.example"}
    answer = service.decide({**GOOD, "request": {**GOOD["request"], **claimed}}, **headers)
    assert answer.json()["request"]["requested_by"] == "decider"
    entry = service.organisation.mandate("explain", answer.json()["id"], "--output", "json").json
    assert entry["request"]["requested_by"] == "decider"
    beside = service.call("POST", "/v1/decisions", json={"input": GOOD, **claimed})
    assert (beside.status_code, beside.json()["errors"][0]["pointer"]) == (422, "/requested_by")


def of_kind(logged: list[str], message: str) -> list[dict[str, object]]:
    """What the log has of this kind."""
    return [line for line in map(json.loads, logged) if line["message"] == message]


def test_a_refusal_is_logged_without_the_token(service: Serving, logged: list[str]) -> None:
    token = TOKENS[Role.METRICS][0]
    service.call("GET", "/v1/decisions", role=Role.METRICS)
    service.client.get("/v1/checkpoint", headers=[(b"authorization", f"Bearer {token}\x85.".encode())])
    what = ("logger", "method", "route", "status", "reason", "client", "caller", "how")
    refused = [{name: line[name] for name in what} for line in of_kind(logged, "refused")]
    both = {"logger": "mandate.engine.service.access.authentication", "method": "GET", "client": "127.0.0.1"}
    assert refused == [
        {
            **both,
            "route": "decisions",
            "status": 403,
            "reason": "metrics has the role metrics, and this takes one of the roles approver, auditor",
            "caller": "metrics",
            "how": "token",
        },
        {
            **both,
            "route": "checkpoint",
            "status": 401,
            "reason": "Nobody knows you",
            "caller": None,
            "how": None,
        },
    ]
    assert token not in "".join(logged)


def test_the_log_says_who_was_answered_and_how_they_were_known(service: Serving, logged: list[str]) -> None:
    service.call("GET", "/v1/decisions", role=Role.AUDITOR)
    service.client.get("/healthz")
    listed, probe = of_kind(logged, "answered")
    assert (listed["caller"], listed["how"]) == ("auditor", "token")
    assert "caller" not in probe
