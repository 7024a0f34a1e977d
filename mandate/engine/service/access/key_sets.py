"""An issuer's keys as it publishes them: a JWK Set (RFC 7517), of which only what may verify is taken."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from jwt import PyJWK
from jwt.exceptions import PyJWTError

from ... import strict_json
from ...errors import IssuerUnavailable

_FITTING: Mapping[tuple[str, str | None], frozenset[str]] = MappingProxyType(
    {
        ("RSA", None): frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}),
        ("EC", "P-256"): frozenset({"ES256"}),
        ("EC", "P-384"): frozenset({"ES384"}),
        ("EC", "P-521"): frozenset({"ES512"}),
        ("OKP", "Ed25519"): frozenset({"EdDSA"}),
    }
)
"""Algorithms, by the type of the key and its curve. A secret (`oct`) is not among them."""


@dataclass(frozen=True, slots=True)
class KeySet:
    """The keys of one issuer."""

    keys: Mapping[tuple[str, str], PyJWK]
    """By the key's id and the algorithm: each is bound to one, whatever a token says."""
    ambiguous: frozenset[str]
    """Ids that several keys have for one algorithm: none of them counts, for nobody can say which it is."""

    @property
    def names(self) -> tuple[frozenset[tuple[str, str]], frozenset[str]]:
        """Which keys there are, without the keys."""
        return frozenset(self.keys), self.ambiguous


def read(document: bytes, algorithms: Iterable[str], *, where: str) -> KeySet:
    """The keys that verify signatures by these algorithms.

    A key that nobody could use is left out, as the standard wants it; a set without a key is one.
    `IssuerUnavailable` if it is no JWK Set.
    """
    try:
        value = strict_json.parse(document)
    except strict_json.NotStrict as error:
        raise _bad(str(error), where) from error
    listed = value.get("keys") if isinstance(value, dict) else None
    if not isinstance(listed, list):
        raise _bad("there is no list of keys in it", where)
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for jwk in listed:
        for key in _uses(jwk, algorithms):
            if jwk not in (there := found.setdefault(key, [])):
                there.append(jwk)
    made = {key: _made(jwks[0], key[1]) for key, jwks in found.items() if len(jwks) == 1}
    return KeySet(
        keys=MappingProxyType({key: jwk for key, jwk in made.items() if jwk is not None}),
        ambiguous=frozenset(kid for (kid, _), jwks in found.items() if len(jwks) > 1),
    )


def _uses(jwk: Any, algorithms: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The id and each algorithm for which this key may count."""
    if not isinstance(jwk, dict) or not isinstance(kid := jwk.get("kid"), str):
        return
    operations = jwk.get("key_ops")
    to_verify = jwk.get("use", "sig") == "sig" and (
        operations is None or (isinstance(operations, list) and "verify" in operations)
    )
    # Who publishes the private half lets everybody sign.
    if not to_verify or "d" in jwk:
        return
    kind, curve = jwk.get("kty"), jwk.get("crv")
    if not isinstance(kind, str) or not (curve is None or isinstance(curve, str)):
        return
    fitting = _FITTING.get((kind, curve), frozenset())
    for algorithm in algorithms:
        if algorithm in fitting and jwk.get("alg", algorithm) == algorithm:
            yield kid, algorithm


def _made(jwk: dict[str, Any], algorithm: str) -> PyJWK | None:
    try:
        return PyJWK(jwk, algorithm)
    except (PyJWTError, TypeError, ValueError):
        return None


def _bad(what: str, where: str) -> IssuerUnavailable:
    return IssuerUnavailable(
        f"this is no JWK Set: {what}", where=where, next_step="See whether the address is that of its keys"
    )
