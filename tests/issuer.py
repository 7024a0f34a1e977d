"""An OpenID Connect issuer on this machine: it signs tokens and publishes its keys over real HTTP."""

from __future__ import annotations

import json
import ssl
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm
from jwt.warnings import InsecureKeyLengthWarning

AUDIENCE = "https://mandate.bank.example"
Answer = Callable[[BaseHTTPRequestHandler], object]
"""What the server does with a request for the keys."""


@dataclass(frozen=True)
class Key:
    """A key that an issuer signs with."""

    kid: str
    algorithm: str
    private: Any

    @property
    def jwk(self) -> dict[str, Any]:
        """Its public half, as it is published."""
        kinds: dict[str, Any] = {
            "RS": RSAAlgorithm,
            "PS": RSAAlgorithm,
            "ES": ECAlgorithm,
            "Ed": OKPAlgorithm,
        }
        jwk = kinds[self.algorithm[:2]].to_jwk(self.private.public_key(), as_dict=True)
        return {"kid": self.kid, "use": "sig", "alg": self.algorithm, **jwk} | {"key_ops": ["verify"]}


def key(kid: str = "first", algorithm: str = "ES256", *, bits: int = 2048) -> Key:
    """A key of this name: the same one each time."""
    return _made(kid, algorithm, bits)


@cache
def _made(kid: str, algorithm: str, bits: int) -> Key:
    if algorithm == "EdDSA":
        return Key(kid, algorithm, ed25519.Ed25519PrivateKey.generate())
    if algorithm.startswith("ES"):
        curve = {"ES256": ec.SECP256R1(), "ES384": ec.SECP384R1(), "ES512": ec.SECP521R1()}[algorithm]
        return Key(kid, algorithm, ec.generate_private_key(curve))
    return Key(kid, algorithm, rsa.generate_private_key(65537, bits))


@dataclass
class Issuer:
    """An issuer, its address and what it publishes."""

    url: str
    keys: list[Any] = field(default_factory=lambda: [key().jwk])
    discovery: dict[str, Any] = field(default_factory=dict)
    """What its discovery document says instead."""
    answer: Answer | None = None
    """What answers for it, where it is not well."""
    asked: list[str] = field(default_factory=list)
    """The paths that were asked for."""

    def claims(self, **others: Any) -> dict[str, Any]:
        """Claims that count, with others in their place; `...` leaves one out."""
        now = int(time.time())
        said = {
            "iss": self.url,
            "sub": "repo:bank/models:ref:refs/heads/main",
            "aud": AUDIENCE,
            "iat": now,
            "nbf": now,
            "exp": now + 300,
            "repository": "bank/models",
            "ref": "refs/heads/main",
        } | others
        return {name: value for name, value in said.items() if value is not ...}

    def token(self, *, by: Key | None = None, headers: dict[str, Any] | None = None, **claims: Any) -> str:
        """A token with these claims, signed by this key."""
        by = by or key()
        header = {"kid": by.kid} | (headers or {})
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", InsecureKeyLengthWarning)
            return jwt.encode(self.claims(**claims), by.private, by.algorithm, header)

    def settings(self, **others: Any) -> dict[str, Any]:
        """An entry of `service.oidc`."""
        return {
            "issuer": self.url,
            "audience": AUDIENCE,
            "algorithms": ["ES256"],
            "plain_loopback": True,
            "grants": [
                {"claims": {"repository": "bank/models", "ref": "refs/heads/main"}, "roles": ["decider"]}
            ],
        } | others


def respond(
    handler: BaseHTTPRequestHandler,
    body: bytes,
    status: int = 200,
    *,
    length: int | None = None,
    to: str = "",
) -> None:
    """Answer with this, however long it is said to be; `to`: with a redirect."""
    handler.send_response(status)
    for name, value in (("Content-Length", str(len(body) if length is None else length)), ("Location", to)):
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


@contextmanager
def issuing(context: ssl.SSLContext | None = None, path: str = "") -> Iterator[Issuer]:
    """A running issuer; over TLS with a context."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            issuer.asked.append(self.path)
            if issuer.answer is not None:
                issuer.answer(self)
            elif self.path == f"{path}/.well-known/openid-configuration":
                said = {"issuer": issuer.url, "jwks_uri": f"{issuer.url}/keys"} | issuer.discovery
                respond(self, json.dumps(said).encode())
            elif self.path == f"{path}/keys":
                respond(self, json.dumps({"keys": issuer.keys}).encode())
            else:
                respond(self, b"", 404)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """Whoever asked went away."""

    server = Server(("127.0.0.1", 0), Handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    scheme = "http" if context is None else "https"
    issuer = Issuer(f"{scheme}://127.0.0.1:{server.server_port}{path}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
