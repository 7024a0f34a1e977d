"""`mandate certs ensure` against a real API server, as the account that is shipped for it."""

from __future__ import annotations

import base64
import json
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from cryptography import x509

from mandate.engine.issuing.cluster import Cluster
from mandate.engine.issuing.ensuring import Changed
from mandate.engine.issuing.secret import SecretPlace
from tests.kube.account import ARGUMENTS, NAME, Account, believed, mounted, secret
from tests.kube.api_server import ApiServer
from tests.kube.authority import Authority

OURS = ("mandate-production", "mandate-staging")


@pytest.fixture
def account(applied: ApiServer, tmp_path: Path) -> Iterator[Account]:
    """The account in a cluster in which it has not run yet."""
    yield mounted(applied, tmp_path / "account")
    emptied = '[{"op": "replace", "path": "/data", "value": {}}]'
    applied.kubectl("patch", "-n", "mandate", "secret", "mandate-tls", "--type=json", "-p", emptied)
    for name in OURS:
        removed = '[{"op": "remove", "path": "/webhooks/0/clientConfig/caBundle"}]'
        applied.kubectl("patch", "validatingwebhookconfiguration", name, "--type=json", "-p", removed)


def authorities(api: ApiServer) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(base64.b64decode(secret(api)["ca.crt"]))


def certificate(api: ApiServer) -> x509.Certificate:
    return x509.load_pem_x509_certificate(base64.b64decode(secret(api)["tls.crt"]))


def test_it_fills_the_secret_and_tells_the_api_server(account: Account) -> None:
    ran = account.mandate()
    assert (ran.exit_code, ran.err) == (0, "")
    assert ran.out.splitlines()[:4] == [
        "✓ made a new authority",
        "✓ told mandate-production whom to believe",
        "✓ told mandate-staging whom to believe",
        "✓ issued a new certificate",
    ]
    kept = secret(account.api)
    assert sorted(kept) == ["ca.crt", "ca.key", "tls.crt", "tls.key"]
    assert [believed(account.api, name) for name in OURS] == [[kept["ca.crt"]]] * 2
    (authority,) = authorities(account.api)
    certificate(account.api).verify_directly_issued_by(authority)
    again = account.mandate()
    assert (again.exit_code, again.out.splitlines()[0]) == (0, "✓ nothing is due")
    assert secret(account.api) == kept


def test_what_somebody_else_wrote_into_our_configuration_is_put_right(account: Account) -> None:
    assert account.mandate().exit_code == 0
    name = ("validatingwebhookconfiguration", "mandate-staging")
    removed = json.dumps([{"op": "remove", "path": "/webhooks/0/clientConfig/caBundle"}])
    assert account.api.kubectl("patch", *name, "--type=json", "-p", removed).exit_code == 0
    ran = account.mandate()
    assert ran.out.splitlines()[0] == "✓ told mandate-staging whom to believe"
    assert believed(account.api, "mandate-staging") == [secret(account.api)["ca.crt"]]


def test_renewed_both_authorities_are_believed(account: Account) -> None:
    assert account.mandate().exit_code == 0
    (old,) = authorities(account.api)
    assert account.mandate("--renew").exit_code == 0
    new, kept = authorities(account.api)
    assert kept == old != new
    certificate(account.api).verify_directly_issued_by(new)
    assert [believed(account.api, name) for name in OURS] == [[secret(account.api)["ca.crt"]]] * 2


def test_runs_at_the_same_time_end_in_one_state(account: Account) -> None:
    assert account.mandate().exit_code == 0
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "mandate", *account.arguments("--renew")],
            env=account.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for process in running:
        _, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
    newest, *_ = authorities(account.api)
    certificate(account.api).verify_directly_issued_by(newest)
    assert [believed(account.api, name) for name in OURS] == [[secret(account.api)["ca.crt"]]] * 2


ALLOWED = {
    ("get", "secrets/mandate-tls"),
    ("update", "secrets/mandate-tls"),
    *((verb, f"validatingwebhookconfigurations/{name}") for verb in ("get", "patch") for name in OURS),
}
VERBS = ("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection")
THINGS = (
    "secrets/mandate-tls",
    "secrets/mandate-keys",
    "secrets",
    *(f"validatingwebhookconfigurations/{name}" for name in OURS),
    "validatingwebhookconfigurations/another",
    "validatingwebhookconfigurations",
    "mutatingwebhookconfigurations",
    "validatingadmissionpolicies",
    "pods",
    "configmaps",
    "serviceaccounts",
    "clusterroles",
    "environments.mandate.dev",
)


def test_the_account_may_do_what_it_needs_and_nothing_else(account: Account) -> None:
    """Each verb on each of these, of which the API server's own authoriser says whether it may."""
    who = f"system:serviceaccount:mandate:{NAME}"
    path = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
    groups = {
        "validatingwebhookconfigurations": "admissionregistration.k8s.io",
        "mutatingwebhookconfigurations": "admissionregistration.k8s.io",
        "validatingadmissionpolicies": "admissionregistration.k8s.io",
        "clusterroles": "rbac.authorization.k8s.io",
        "environments.mandate.dev": "mandate.dev",
    }
    allowed = set()
    with account.api.client() as client:
        for thing in THINGS:
            kind, _, name = thing.partition("/")
            for verb in (*VERBS, "relabel"):
                asked = {
                    "verb": verb,
                    "group": groups.get(kind, ""),
                    "resource": kind.partition(".")[0],
                    "name": name,
                    "namespace": "mandate",
                }
                review = {"spec": {"user": who, "resourceAttributes": asked}}
                answer = client.post(path, json=review)
                assert answer.status_code == 201, answer.text
                if answer.json()["status"]["allowed"]:
                    allowed.add((verb, thing))
    assert allowed == ALLOWED


def replaced(option: str, value: str) -> list[str]:
    """The job's arguments with another value."""
    return [f"{option}={value}" if each.startswith(f"{option}=") else each for each in ARGUMENTS]


@pytest.mark.parametrize(
    ("option", "refused"),
    [
        ("--secret", 'secrets \\"mandate-keys\\" is forbidden'),
        ("--webhook", 'validatingwebhookconfigurations.admissionregistration.k8s.io \\"mandate-keys\\" is'),
    ],
    ids=["secret", "webhook"],
)
def test_another_object_is_refused_by_the_roles(account: Account, option: str, refused: str) -> None:
    ran = account.mandate(arguments=replaced(option, "mandate-keys"))
    assert (ran.exit_code, refused in ran.err) == (3, True), ran.err
    assert secret(account.api) == {}


def test_a_configuration_that_calls_somebody_else_is_left_alone_whatever_the_roles_allow(
    account: Account,
) -> None:
    other = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "others"},
        "webhooks": [
            {
                "name": "others.example.org",
                "clientConfig": {"service": {"name": "mandate", "namespace": "elsewhere"}},
                "admissionReviewVersions": ["v1"],
                "sideEffects": "None",
                "failurePolicy": "Ignore",
                "rules": [],
            }
        ],
    }
    assert account.api.kubectl("create", "-f", "-", given=other).exit_code == 0
    (account.folder / "token").write_text("admin-token")
    ran = account.mandate("--webhook=others")
    assert ran.exit_code == 2
    assert "--webhook 'others': this configuration calls a service that is not in our namespace" in ran.err
    assert (believed(account.api, "others"), secret(account.api)) == ([None], {})


def test_what_was_provided_by_somebody_else_is_left_alone(account: Account) -> None:
    provided = {"stringData": {"tls.crt": "theirs", "tls.key": "theirs"}}
    on = ("-n", "mandate", "secret", "mandate-tls")
    assert account.api.kubectl("patch", *on, "-p", json.dumps(provided)).exit_code == 0
    before = secret(account.api)
    ran = account.mandate()
    assert (ran.exit_code, "somebody else made the tls.crt that is there" in ran.err) == (2, True)
    assert secret(account.api) == before


def test_what_is_no_certificate_counts_as_none(account: Account) -> None:
    assert account.mandate().exit_code == 0
    damaged = {"data": {"tls.crt": base64.b64encode(b"\0").decode()}}
    on = ("-n", "mandate", "secret", "mandate-tls")
    assert account.api.kubectl("patch", *on, "-p", json.dumps(damaged)).exit_code == 0
    assert account.mandate().out.splitlines()[0] == "✓ issued a new certificate"


@pytest.mark.parametrize("name", ["token", "ca.crt", "namespace"])
def test_without_its_account_it_says_what_is_missing(account: Account, name: str) -> None:
    (account.folder / name).unlink()
    ran = account.mandate()
    assert (ran.exit_code, f"the account's {name} cannot be read: No such file" in ran.err) == (2, True)


def test_a_token_that_does_not_count_is_refused(account: Account) -> None:
    (account.folder / "token").write_text("stale")
    ran = account.mandate()
    assert (ran.exit_code, "Unauthorized" in ran.err) == (3, True), ran.err


def test_an_api_server_with_a_certificate_of_somebody_else_gets_no_token(account: Account) -> None:
    (account.folder / "ca.crt").write_bytes(Authority().pem)
    ran = account.mandate()
    assert (ran.exit_code, "certificate verify failed" in ran.err) == (3, True), ran.err


def test_an_api_server_that_is_away_is_said(account: Account) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    away = Account(ApiServer(account.api.folder, port), account.folder)
    ran = away.mandate()
    assert (ran.exit_code, "the cluster's API server cannot be asked" in ran.err) == (3, True)


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (200, b"hello", "what answers is no API server of a cluster"),
        (200, b"[]", "what answers is no API server of a cluster"),
        (
            503,
            b"busy",
            "refuses GET /apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/"
            'mandate-production: "status 503"',
        ),
    ],
    ids=["no JSON", "no object", "busy"],
)
def test_what_is_no_api_server_is_said(account: Account, status: int, body: bytes, said: str) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing to the terminal."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    pki = account.api.folder / "pki"
    context.load_cert_chain(pki / "apiserver.crt", pki / "apiserver.key")
    with HTTPServer(("127.0.0.1", 0), Handler) as stranger:
        stranger.socket = context.wrap_socket(stranger.socket, server_side=True)
        threading.Thread(target=stranger.serve_forever, daemon=True).start()
        ran = Account(ApiServer(account.api.folder, stranger.server_port), account.folder).mandate()
        stranger.shutdown()
    assert (ran.exit_code, said in ran.err) == (3, True), ran.err


def test_what_another_run_changed_meanwhile_is_not_changed_back(account: Account) -> None:
    place = SecretPlace(Cluster.around(account.folder, account.environment), "mandate-tls", OURS)
    assert account.mandate().exit_code == 0
    place.read()
    assert account.mandate("--renew").exit_code == 0
    kept = secret(account.api)
    with pytest.raises(Changed):
        place.write({"ca.crt": b"stale"})
    with pytest.raises(Changed):
        place.believe(b"stale")
    assert secret(account.api) == kept
    assert [believed(account.api, name) for name in OURS] == [[kept["ca.crt"]]] * 2
