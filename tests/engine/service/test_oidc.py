"""Tokens that an OpenID Connect issuer signed: what counts, and all that must not."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from mandate.engine import configuration
from mandate.engine.errors import BadConfiguration
from mandate.engine.service.access.roles import Role
from tests.issuer import AUDIENCE, Issuer, issuing, key, respond
from tests.organisation import GOOD
from tests.service import Serving, serving

NOW = int(time.time())
SUBJECT = "repo:bank/models:ref:refs/heads/main"
WEAK, STRANGER, OTHER_CURVE = key("weak", "RS256", bits=1024), key("stranger"), key("curve", "ES384")
PUBLISHED_PRIVATE, TO_ENCRYPT, TWICE = key("private"), key("encrypting"), key("twice")
HMAC = "HS256"
GRANTS = [
    {"claims": {"repository": "bank/models", "ref": "refs/heads/main"}, "roles": ["decider"]},
    {"claims": {"groups": "risk", "email_verified": True}, "roles": ["auditor", "metrics"]},
    {"claims": {"level": 1}, "roles": ["operator"]},
]


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    """An issuer with good keys, and with all kinds of keys that must not count."""
    with issuing() as running:
        private = PUBLISHED_PRIVATE.private.private_numbers().private_value
        running.keys += [
            key("rsa", "RS256").jwk,
            key("rsa", "RS256").jwk,  # the same key once more is no other one
            key("edwards", "EdDSA").jwk,
            {name: value for name, value in key("any", "PS256").jwk.items() if name != "alg"},
            WEAK.jwk,
            OTHER_CURVE.jwk,
            PUBLISHED_PRIVATE.jwk | {"d": encoded(private.to_bytes(32, "big"))},
            TO_ENCRYPT.jwk | {"use": "enc", "key_ops": ["encrypt"]},
            TWICE.jwk,
            TWICE.jwk | {"x": STRANGER.jwk["x"], "y": STRANGER.jwk["y"]},
            {"kty": "oct", "kid": "secret", "k": encoded(b"s" * 32), "alg": HMAC, "use": "sig"},
            {"kty": "EC", "kid": "broken", "crv": "P-256", "x": "AA", "y": "AA"},
            {"kty": ["EC"], "kid": "odd"},
            {"kid": 7},
            "no key at all",
        ]
        yield running


@pytest.fixture(scope="module")
def trusting(issuer: Issuer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A service that trusts the issuer."""
    trusted = issuer.settings(
        algorithms=["ES256", "RS256", "PS256", "EdDSA"], grants=GRANTS, pause_seconds=3600
    )
    with serving(tmp_path_factory.mktemp("oidc"), oidc=[trusted]) as running:
        assert call(running, issuer.token()).status_code == 200  # the keys have been read
        yield running


def call(service: Serving, token: str, path: str = "/v1/consistency?first=0&second=0") -> httpx.Response:
    return service.client.get(path, headers={"Authorization": f"Bearer {token}"})


def encoded(data: bytes | dict[str, Any]) -> str:
    content = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def by_hand(issuer: Issuer, header: dict[str, Any], secret: bytes = b"", claims: Any = None) -> str:
    """A token that no library would make: signed with a secret, or not at all."""
    said = issuer.claims() if claims is None else claims
    signed = f"{encoded(header)}.{encoded(said)}"
    signature = hmac.new(secret, signed.encode(), hashlib.sha256).digest() if secret else b""
    return f"{signed}.{encoded(signature)}"


def tampered(token: str, **claims: Any) -> str:
    """The token with other claims under its signature."""
    header, payload, signature = token.split(".")
    said = json.loads(base64.urlsafe_b64decode(payload + "=="))
    return f"{header}.{encoded(said | claims)}.{signature}"


def shortened(token: str) -> str:
    """The token without the last byte of its signature."""
    signed, _, signature = token.rpartition(".")
    return f"{signed}.{encoded(base64.urlsafe_b64decode(signature + '==')[:-1])}"


def test_a_token_of_an_issuer_may_do_what_its_grants_say(trusting: Serving, issuer: Issuer) -> None:
    headers = {"Authorization": f"Bearer {issuer.token()}"}
    answer = trusting.client.post("/v1/decisions", json={"input": GOOD}, headers=headers)
    assert answer.status_code == 200
    name = f"{SUBJECT} at {issuer.url}"
    assert answer.json()["request"]["requested_by"] == name
    recorded = trusting.organisation.mandate("explain", answer.json()["id"], "--output", "json").json
    assert recorded["request"]["requested_by"] == name
    assert call(trusting, issuer.token(), "/v1/decisions").status_code == 403


@pytest.mark.parametrize("signer", ["first/ES256", "rsa/RS256", "edwards/EdDSA", "any/PS256"])
def test_each_allowed_algorithm_counts_with_its_own_key(
    trusting: Serving, issuer: Issuer, signer: str
) -> None:
    kid, _, algorithm = signer.partition("/")
    assert call(trusting, issuer.token(by=key(kid, algorithm))).status_code == 200


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": [AUDIENCE]},
        {"aud": ["https://other.example", AUDIENCE]},
        {"exp": NOW - 5},
        {"nbf": NOW + 20, "iat": NOW + 20, "exp": NOW + 3600},
        {"nbf": ...},
        {"iat": NOW + 0.5},
    ],
    ids=["list", "among others", "just expired", "almost valid", "no nbf", "fraction"],
)
def test_what_the_standard_allows_counts(trusting: Serving, issuer: Issuer, claims: dict[str, Any]) -> None:
    if claims.get("exp") == NOW - 5:
        claims = {"exp": int(time.time()) - 5}
    assert call(trusting, issuer.token(**claims)).status_code == 200


def test_an_access_token_says_its_type(trusting: Serving, issuer: Issuer) -> None:
    for kind in ("at+jwt", "application/at+jwt", "jwt"):
        assert call(trusting, issuer.token(headers={"typ": kind})).status_code == 200


Forged = Callable[[Issuer], str]
PEM = key().private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
RSA_PEM = (
    key("rsa", "RS256").private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
)
FORGED: dict[str, tuple[Forged, str]] = {
    "expired": (lambda i: i.token(exp=NOW - 3600), "it has expired"),
    "not yet valid": (lambda i: i.token(nbf=NOW + 3600), "it is not valid yet"),
    "issued in the future": (lambda i: i.token(iat=NOW + 3600), "it is not valid yet"),
    "another audience": (lambda i: i.token(aud="https://other.example"), "it is meant for another audience"),
    "other audiences": (lambda i: i.token(aud=["a", "b"]), "it is meant for another audience"),
    "audience in part": (lambda i: i.token(aud=AUDIENCE[:-1]), "it is meant for another audience"),
    "audience as a map": (lambda i: i.token(aud={AUDIENCE: 1}), "it is meant for another audience"),
    "odd audiences": (lambda i: i.token(aud=[AUDIENCE, 1]), "it is meant for another audience"),
    "no audience": (lambda i: i.token(aud=...), "it does not make each of the claims"),
    "no expiry": (lambda i: i.token(exp=...), "it does not make each of the claims"),
    "no issue time": (lambda i: i.token(iat=...), "it does not make each of the claims"),
    "no subject": (lambda i: i.token(sub=...), "it does not make each of the claims"),
    "null expiry": (lambda i: i.token(exp=None), "it does not make each of the claims"),
    "expiry in words": (lambda i: i.token(exp="never"), "it is not what it must be"),
    "expiry without end": (lambda i: i.token(exp=float("inf")), "it is not what it must be"),
    "expiry that is true": (lambda i: i.token(exp=True), "it has expired"),
    "expiry in a list": (lambda i: i.token(exp=[NOW + 9999]), "it is not what it must be"),
    "subject that is a number": (lambda i: i.token(sub=7), "it is not what it must be"),
    "another issuer": (lambda i: i.token(iss="https://evil.example"), "nobody here trusts its issuer"),
    "issuer with a slash": (lambda i: i.token(iss=f"{i.url}/"), "nobody here trusts its issuer"),
    "issuer in a list": (
        lambda i: by_hand(i, {"alg": "ES256", "kid": "first"}, b"x", i.claims(iss=[i.url])),
        "nobody here trusts its issuer",
    ),
    "no issuer": (lambda i: i.token(iss=...), "nobody here trusts its issuer"),
    "alg none": (lambda i: by_hand(i, {"alg": "none", "kid": "first"}), "it is not signed by an algorithm"),
    "alg None": (lambda i: by_hand(i, {"alg": "nOnE", "kid": "first"}), "it is not signed by an algorithm"),
    "alg null": (lambda i: by_hand(i, {"alg": None, "kid": "first"}), "it is not signed by an algorithm"),
    "alg in a list": (lambda i: by_hand(i, {"alg": ["ES256"], "kid": "first"}), "it is not signed by an"),
    "no alg": (lambda i: by_hand(i, {"kid": "first"}), "it is not signed by an algorithm"),
    "no signature": (lambda i: i.token().rpartition(".")[0] + ".", "its signature does not verify"),
    "HMAC with the public key": (
        lambda i: by_hand(i, {"alg": HMAC, "kid": "first"}, PEM),
        "it is not signed by an algorithm",
    ),
    "HMAC with the public RSA key": (
        lambda i: by_hand(i, {"alg": HMAC, "kid": "rsa"}, RSA_PEM),
        "it is not signed by an algorithm",
    ),
    "HMAC called something else": (
        lambda i: by_hand(i, {"alg": "RS256", "kid": "rsa"}, RSA_PEM),
        "its signature does not verify",
    ),
    "HMAC with a secret among the keys": (
        lambda i: by_hand(i, {"alg": HMAC, "kid": "secret"}, b"s" * 32),
        "it is not signed by an algorithm",
    ),
    "an algorithm that is not allowed": (
        lambda i: i.token(by=OTHER_CURVE),
        "it is not signed by an algorithm",
    ),
    "another algorithm of the key": (
        lambda i: jwt.encode(i.claims(), key("rsa", "RS256").private, "PS256", {"kid": "rsa"}),
        "its issuer has no such key",
    ),
    "a key of somebody else": (
        lambda i: i.token(by=STRANGER, headers={"kid": "first"}),
        "its signature does not verify",
    ),
    "a key that is nobody's": (lambda i: i.token(by=STRANGER), "its issuer has no such key"),
    "a weak key": (lambda i: i.token(by=WEAK), "its issuer's key is too weak"),
    "a key whose private half is published": (
        lambda i: i.token(by=PUBLISHED_PRIVATE),
        "its issuer has no such key",
    ),
    "a key to encrypt": (lambda i: i.token(by=TO_ENCRYPT), "its issuer has no such key"),
    "a key id that stands twice": (lambda i: i.token(by=TWICE), "its issuer has no such key"),
    "a key that is broken": (lambda i: i.token(headers={"kid": "broken"}), "its issuer has no such key"),
    "a path as key id": (
        lambda i: i.token(headers={"kid": "../../../../dev/null"}),
        "its issuer has no such key",
    ),
    "an address as key id": (
        lambda i: i.token(headers={"kid": "http://169.254.169.254/"}),
        "its issuer has no such key",
    ),
    "SQL as key id": (lambda i: i.token(headers={"kid": "' OR 1=1 --"}), "its issuer has no such key"),
    "a number as key id": (
        lambda i: by_hand(i, {"alg": "ES256", "kid": 1}, b"x"),
        "it cannot be read as a JWT",
    ),
    "no key id": (lambda i: by_hand(i, {"alg": "ES256"}, b"x"), "it does not name its key"),
    "a key brought along": (
        lambda i: i.token(by=STRANGER, headers={"jwk": STRANGER.jwk}),
        "its issuer has no such key",
    ),
    "a certificate brought along": (
        lambda i: i.token(by=STRANGER, headers={"x5c": [encoded(PEM)], "kid": "first"}),
        "its signature does not verify",
    ),
    "a critical extension": (
        lambda i: i.token(headers={"crit": ["exp"], "exp": 1}),
        "it cannot be read as a JWT",
    ),
    "an unencoded payload": (
        lambda i: by_hand(i, {"alg": "ES256", "kid": "first", "crit": ["b64"], "b64": True}, b"x"),
        "it demands an extension",
    ),
    "a logout token": (lambda i: i.token(headers={"typ": "logout+jwt"}), "it is a token for something else"),
    "a type that is no text": (
        lambda i: by_hand(i, {"alg": "ES256", "kid": "first", "typ": 1}, b"x"),
        "it is a token for something else",
    ),
    "bound to a key": (lambda i: i.token(cnf={"jkt": "x"}), "it is bound to a key"),
    "other claims": (lambda i: tampered(i.token(), ref="refs/heads/evil"), "its signature does not verify"),
    "cut short": (lambda i: shortened(i.token()), "its signature does not verify"),
    "no JSON": (
        lambda i: f"{encoded(b'{')}.{encoded(i.claims())}.{encoded(b'x')}",
        "it cannot be read as a JWT",
    ),
    "claims that are a list": (
        lambda i: by_hand(i, {"alg": "ES256", "kid": "first"}, b"x", [1]),
        "it cannot be read as a JWT",
    ),
    "nested without end": (
        lambda i: f"{encoded(b'[' * 5000)}.{encoded(i.claims())}.{encoded(b'x')}",
        "it cannot be read as a JWT",
    ),
    "a subject with a line break": (
        lambda i: i.token(sub="ci\nlevel=info"),
        "what it says of its subject is no name",
    ),
    "a subject with ESC": (lambda i: i.token(sub="\x1b[2Jci"), "what it says of its subject is no name"),
    "a subject from right to left": (
        lambda i: i.token(sub="ci\u202etidua"),
        "what it says of its subject is no name",
    ),
    "half a surrogate pair": (lambda i: i.token(sub="ci\ud800"), "what it says of its subject is no name"),
    "a subject that is empty": (lambda i: i.token(sub=""), "what it says of its subject is no name"),
    "a subject without end": (lambda i: i.token(sub="x" * 301), "what it says of its subject is no name"),
}


@pytest.mark.parametrize("attack", FORGED)
def test_a_token_that_is_not_all_it_must_be_is_refused(
    trusting: Serving, issuer: Issuer, attack: str, logged: list[str]
) -> None:
    forge, detail = FORGED[attack]
    token = forge(issuer)
    before = len(issuer.asked)
    for path in ("/v1/consistency?first=0&second=0", "/v1/decisions", "/healthz"):
        response = call(trusting, token, path)
        if path == "/healthz":
            assert response.status_code == 200
            continue
        assert (response.status_code, response.json()["title"]) == (401, "Your token does not count")
        assert response.json()["detail"].startswith(detail)
        assert response.headers["www-authenticate"] == 'Bearer realm="mandate", error="invalid_token"'
    refused = [json.loads(line) for line in logged if json.loads(line)["message"] == "refused"]
    assert [(line["status"], line["caller"]) for line in refused] == [(401, None)] * 2
    signature = token.rpartition(".")[2]
    assert token not in "".join(logged)
    assert len(signature) < 9 or signature not in "".join(logged)
    assert len(issuer.asked) == before


@pytest.mark.parametrize("parts", [1, 2, 4, 5])
def test_a_token_of_another_number_of_parts_is_nobodys(trusting: Serving, parts: int) -> None:
    response = call(trusting, ".".join(["e30"] * parts))
    assert (response.status_code, response.json()["title"]) == (401, "Nobody knows you")


def test_a_token_that_is_too_long_is_not_read(trusting: Serving, issuer: Issuer) -> None:
    response = call(trusting, issuer.token(padding="x" * 16_384))
    assert (response.status_code, response.json()["title"]) == (401, "Nobody knows you")
    assert response.json()["detail"] == "the token has more than 16384 characters"


@pytest.mark.parametrize("header", ["jku", "x5u"])
def test_an_address_that_a_token_brings_along_is_never_asked(
    trusting: Serving, issuer: Issuer, header: str
) -> None:
    with issuing() as attacker:
        attacker.keys = [STRANGER.jwk]
        token = issuer.token(by=STRANGER, headers={header: f"{attacker.url}/keys"})
        assert call(trusting, token).status_code == 401
        assert attacker.asked == []


@pytest.mark.parametrize(
    ("claims", "lacking"),
    [
        ({"ref": "refs/heads/main2"}, {"ref": ("refs/heads/main", "refs/heads/main2")}),
        ({"ref": "Refs/heads/main"}, {"ref": ("refs/heads/main", "Refs/heads/main")}),
        ({"ref": ...}, {"ref": ("refs/heads/main", "None")}),
        ({"ref": None}, {"ref": ("refs/heads/main", "None")}),
        ({"ref": {"refs/heads/main": 1}}, {"ref": ("refs/heads/main", "{'refs/heads/main': 1}")}),
        ({"ref": "x\n\x1b[31m"}, {"ref": ("refs/heads/main", "x\\n\\x1b[31m")}),
        (
            {"repository": "evil/models", "groups": ["risk"], "email_verified": "true"},
            {"repository": ("bank/models", "evil/models")},
        ),
        (
            {"repository": "evil/models", "ref": "x", "groups": ["risk"], "email_verified": "true"},
            {"email_verified": ("True", "true")},
        ),
        ({"repository": "x", "ref": "x", "level": True}, {"level": ("1", "True")}),
    ],
    ids=["longer", "case", "absent", "null", "map", "injected", "repository", "text", "true is not one"],
)
def test_claims_that_meet_no_grant_are_refused_and_the_log_says_which(
    trusting: Serving,
    issuer: Issuer,
    claims: dict[str, Any],
    lacking: dict[str, tuple[str, str]],
    logged: list[str],
) -> None:
    response = call(trusting, issuer.token(**claims))
    assert (response.status_code, response.json()) == (
        403,
        {
            "type": "about:blank",
            "title": "You may not do this",
            "status": 403,
            "detail": "your issuer is trusted, and none of its grants is for the claims of your token",
            "next_step": "Ask whoever keeps service.oidc in mandate.yaml: "
            "the log says which claims are missing",
        },
    )
    (line,) = [json.loads(each) for each in logged if json.loads(each)["message"] == "no grant is met"]
    assert {name: (line["wanted"][name], line["claimed"][name]) for name in line["wanted"]} == lacking
    assert (line["issuer"], line["caller"]) == (issuer.url, f"{SUBJECT} at {issuer.url}")


def test_the_roles_of_all_grants_that_are_met_count(trusting: Serving, issuer: Issuer) -> None:
    person = issuer.token(groups=["staff", "risk"], email_verified=True, level=1)
    assert call(trusting, person, "/v1/decisions").status_code == 200
    assert call(trusting, person).status_code == 200
    only = issuer.token(repository="x", groups="risk", email_verified=True)
    assert call(trusting, only, "/v1/decisions").status_code == 200
    headers = {"Authorization": f"Bearer {only}"}
    assert trusting.client.post("/v1/decisions", headers=headers).status_code == 403


def test_a_listed_token_counts_beside_the_issuers(trusting: Serving) -> None:
    assert trusting.call("GET", "/v1/decisions", role=Role.AUDITOR).status_code == 200


def test_an_issuer_that_nobody_can_ask_is_no_answer(tmp_path: Path) -> None:
    with issuing() as issuer:
        issuer.answer = lambda handler: respond(handler, b"", 500)
        with serving(tmp_path, oidc=[issuer.settings(pause_seconds=7)]) as service:
            response = call(service, issuer.token())
            said = response.json()
            assert (response.status_code, response.headers["retry-after"]) == (503, "7")
            assert (said["title"], said["detail"]) == (
                "Nobody can say now",
                "the keys of your token's issuer are not known",
            )
            assert service.call("GET", "/readyz", role=None).status_code == 200


def test_a_person_is_named_by_a_claim_that_people_read(tmp_path: Path, logged: list[str]) -> None:
    with issuing() as issuer:
        trusted = issuer.settings(
            named_by="email", grants=[{"claims": {"groups": "risk"}, "roles": ["auditor"]}]
        )
        with serving(tmp_path, oidc=[trusted]) as service:
            named: dict[str, Any] = {"email": "ana@bank.example", "groups": ["risk"]}
            assert call(service, issuer.token(**named)).status_code == 200
            assert json.loads(logged[-1])["caller"] == f"ana@bank.example ({SUBJECT}) at {issuer.url}"
            for email in (..., "", 7, ["ana@bank.example"], "ana\n@bank.example"):
                response = call(service, issuer.token(**named | {"email": email}))
                assert response.json()["detail"] == "what it says of its subject is no name"


def test_a_name_of_the_greatest_length_and_a_long_key_are_a_request(
    trusting: Serving, issuer: Issuer
) -> None:
    subject = "x" * (300 - len(f" at {issuer.url}"))
    headers = {"Authorization": f"Bearer {issuer.token(sub=subject)}", "Idempotency-Key": "k" * 200}
    answer = trusting.client.post("/v1/decisions", json={"input": GOOD}, headers=headers)
    assert answer.status_code == 200


GOOD_GRANTS = [{"claims": {"sub": "x"}, "roles": ["decider"]}]


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        ({"algorithms": ["HS256"]}, "service.oidc.0.algorithms.0: input should be 'RS256'"),
        ({"algorithms": ["none"]}, "service.oidc.0.algorithms.0: input should be 'RS256'"),
        ({"algorithms": []}, "service.oidc.0.algorithms: list should have at least 1 item"),
        ({"audience": ...}, "service.oidc.0.audience is missing"),
        ({"audience": ""}, "service.oidc.0.audience: string should have at least 1 character"),
        ({"grants": []}, "service.oidc.0.grants: list should have at least 1 item"),
        (
            {"grants": [{"claims": {}, "roles": ["decider"]}]},
            "service.oidc.0.grants.0.claims: dictionary should have at least 1 item",
        ),
        ({"grants": [{"claims": {"a": "b"}, "roles": ["king"]}]}, "service.oidc.0.grants.0.roles.0: input"),
        ({"isuer": "x"}, "service.oidc.0.isuer is not a setting"),
        ({"issuer": "http://issuer.example"}, "service.oidc.0: issuer: it does not begin with https://"),
        ({"issuer": "http://127.0.0.1:1"}, "service.oidc.0: issuer: it does not begin with https://"),
        (
            {"issuer": "http://localhost:1", "plain_loopback": True},
            "service.oidc.0: issuer: it does not begin",
        ),
        ({"issuer": "https://a.example?x"}, "service.oidc.0.issuer: an issuer has no query"),
        ({"jwks_uri": "file:///etc/passwd"}, "service.oidc.0: jwks_uri: it does not begin with https://"),
        ({"jwks_uri": "https://a.example/k", "jwks_file": "k"}, "service.oidc.0: give jwks_uri or jwks_file"),
        ({"keep_seconds": 100}, "service.oidc.0: keep_seconds must not be less than refresh_seconds"),
        ({"leeway_seconds": 301}, "service.oidc.0.leeway_seconds: input should be less than or equal to 300"),
        (
            {
                "issuer": "https://token.actions.githubusercontent.com",
                "grants": [{"claims": {"ref": "refs/heads/main"}, "roles": ["decider"]}],
            },
            "service.oidc.0: this issuer signs for everybody: each grant must name one of repository",
        ),
        (
            {"issuer": "https://gitlab.com", "grants": [{"claims": {"ref": "main"}, "roles": ["decider"]}]},
            "service.oidc.0: this issuer signs for everybody: each grant must name one of namespace_id",
        ),
    ],
)
def test_settings_that_could_let_the_wrong_ones_in_are_refused(
    tmp_path: Path, wrong: dict[str, Any], what: str
) -> None:
    entry = {"issuer": "https://issuer.example", "audience": "us", "grants": GOOD_GRANTS} | wrong
    written = {name: value for name, value in entry.items() if value is not ...}
    assert refusal(tmp_path, [written]).startswith(what)


def test_an_issuer_stands_once(tmp_path: Path) -> None:
    twice = [
        {"issuer": issuer, "audience": "us", "grants": GOOD_GRANTS}
        for issuer in ("https://issuer.example", "https://issuer.example/")
    ]
    assert refusal(tmp_path, twice).startswith("service.oidc: an issuer stands twice")


def refusal(folder: Path, oidc: list[dict[str, Any]]) -> str:
    """What is wrong with these settings."""
    file = folder / "mandate.yaml"
    file.write_text(json.dumps({"ledger": {"name": "bank.example/models"}, "service": {"oidc": oidc}}))
    with pytest.raises(BadConfiguration) as error:
        configuration.load(file, environment={})
    return error.value.what
