"""Only the calls that Mandate makes are answered."""

from __future__ import annotations

import http.client
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from mandate import share
from mandate.engine.decision import Policy
from mandate.engine.errors import NotAnAnswer
from mandate.engine.opa.client import BATCH, DECISION, PARAMETERS, OpaClient
from mandate.engine.opa.judge import OpaJudge
from mandate.engine.opa.process import LocalOpa

from .answers import GOOD, document
from .conftest import OpaServer

QUESTION = b'{"input":{"request":{"environment":"staging"}}}'


class UnixConnection(http.client.HTTPConnection):
    """Plain HTTP over a Unix socket, as any program could speak it."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost")
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self._path)


def status(url: str, method: str, target: str, body: bytes | None = None, **headers: str) -> int:
    connection = UnixConnection(url.removeprefix("unix://"))
    try:
        connection.request(method, target, body, {"Content-Type": "application/json", **headers})
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.fixture(scope="module")
def running(opa: Path, bundle: Path) -> Iterator[LocalOpa]:
    with LocalOpa(opa, bundle) as local:
        yield local


def test_the_question_and_the_probe_are_answered(running: LocalOpa) -> None:
    assert status(running.url, "POST", f"/v1/data/{DECISION}?{PARAMETERS}", QUESTION) == 200
    assert status(running.url, "GET", "/health") == 200


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", f"/v1/data/{DECISION}?{PARAMETERS}"),
        ("PUT", f"/v1/data/{DECISION}?{PARAMETERS}"),
        ("PATCH", f"/v1/data/{DECISION}?{PARAMETERS}"),
        ("DELETE", f"/v1/data/{DECISION}?{PARAMETERS}"),
        ("POST", f"/v1/data/{DECISION}"),
        ("POST", f"/v1/data/{DECISION}?provenance=true"),
        ("POST", f"/v1/data/{DECISION}?strict-builtin-errors=false&provenance=true"),
        ("POST", f"/v1/data/{DECISION}?strict-builtin-errors=true&{PARAMETERS}"),
        ("POST", f"/v1/data/{DECISION}?{PARAMETERS}&explain=full"),
        ("POST", f"/v1/data/{DECISION}?{PARAMETERS}&instrument=true"),
        ("POST", f"/v1/data/{DECISION}/outcome?{PARAMETERS}"),
        ("POST", f"/v1/data/mandate/main?{PARAMETERS}"),
        ("POST", f"/v1/data/mandate%2Fmain%2Fdecision?{PARAMETERS}"),
        ("POST", f"/v1/data/system/authz?{PARAMETERS}"),
        ("POST", f"/v1/data/{BATCH}?{PARAMETERS}"),
        ("POST", f"/v1/data?{PARAMETERS}"),
        ("POST", f"/v0/data/{DECISION}?{PARAMETERS}"),
        ("POST", "/"),
        ("GET", "/"),
        ("GET", "/v1/data"),
        ("GET", "/v1/policies"),
        ("PUT", "/v1/policies/mine"),
        ("DELETE", "/v1/policies/main.rego"),
        ("POST", "/v1/query"),
        ("GET", "/v1/query?q=data"),
        ("POST", "/v1/compile"),
        ("GET", "/v1/config"),
        ("GET", "/v1/status"),
        ("GET", "/metrics"),
        ("GET", "/debug/pprof"),
        ("GET", "/health?bundles"),
        ("POST", "/health"),
        ("GET", "/health/live"),
    ],
)
def test_everything_else_is_refused(running: LocalOpa, method: str, target: str) -> None:
    body = QUESTION if method in ("POST", "PUT", "PATCH") else None
    assert status(running.url, method, target, body) in (400, 401)


@pytest.mark.parametrize("body", [b"{}", b'{"input":{},"unknowns":[]}', b"[]", b'"input"'])
def test_another_body_is_refused(running: LocalOpa, body: bytes) -> None:
    assert status(running.url, "POST", f"/v1/data/{DECISION}?{PARAMETERS}", body) in (400, 401)


def test_only_an_opa_that_takes_batches_may_be_asked_so(opa: Path, bundle: Path) -> None:
    many = b'{"input":{"batch":[{"request":{"environment":"staging"}}]}}'
    with LocalOpa(opa, bundle, batches=True) as local:
        assert status(local.url, "POST", f"/v1/data/{BATCH}?{PARAMETERS}", many) == 200
        assert status(local.url, "POST", f"/v1/data/{DECISION}?{PARAMETERS}", QUESTION) == 200
        for method, target, body in (
            ("GET", f"/v1/data/{BATCH}?{PARAMETERS}", None),
            ("POST", f"/v1/data/{BATCH}?provenance=true", many),
            ("POST", f"/v1/data/{BATCH}/decisions?{PARAMETERS}", many),
            ("POST", f"/v1/data/{BATCH}?{PARAMETERS}", b"{}"),
            ("POST", f"/v1/data/mandate/main?{PARAMETERS}", QUESTION),
        ):
            assert status(local.url, method, target, body) == 401


# As a sidecar, by opa/README.md ------------------------------------------------------------------


@pytest.fixture
def sidecar_options(tmp_path: Path, bundle: Path) -> tuple[str, ...]:
    """What the README says to start a sidecar with, its bundle at another place."""
    shutil.copy(bundle, tmp_path / "bundle.tar.gz")
    return (
        f"--config-file={share.opa() / 'config.yaml'}",
        f"--set=bundles.mandate.resource=file://{tmp_path / 'bundle.tar.gz'}",
        "--ready-timeout=10",
        "--authorization=basic",
        str(share.opa() / "system"),
    )


def test_a_sidecar_as_documented_judges_and_refuses_the_rest(
    opa_server: OpaServer, sidecar_options: tuple[str, ...], policy: Policy
) -> None:
    url = opa_server(bundles={}, options=sidecar_options)
    with OpaClient(url, timeout=5) as client:
        judgement = OpaJudge(client, policy).judge(document("staging"))
    assert judgement.decision.model_dump(mode="json")["outcome"] == GOOD["result"]["outcome"]
    assert status(url, "GET", "/v1/data") == 401
    assert status(url, "GET", "/v1/policies") == 401


def test_a_sidecar_with_a_token_answers_only_who_has_it(
    opa_server: OpaServer, sidecar_options: tuple[str, ...], policy: Policy
) -> None:
    url = opa_server(
        bundles={},
        options=("--authentication=token", *sidecar_options),
        environment={"MANDATE_OPA_TOKEN": "right"},
    )
    with OpaClient(url, timeout=5, token="right") as client:
        assert OpaJudge(client, policy).judge(document("staging")).opa_version == "1.22.2"
    for token in (None, "wrong"):
        with OpaClient(url, timeout=5, token=token) as client, pytest.raises(NotAnAnswer, match="refuses"):
            OpaJudge(client, policy).judge(document("staging"))
    question = ("POST", f"/v1/data/{DECISION}?{PARAMETERS}", QUESTION)
    assert [status(url, *question, Authorization=f"Bearer {token}") for token in ("", "right")] == [401, 200]
    assert status(url, "GET", "/health") == 200
