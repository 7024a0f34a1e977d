"""Callers whom an OpenID Connect issuer vouches for, by a JWT (RFC 7519) as their bearer token.

1. The token's own words choose the issuer and the key, and nothing else: the issuer must be one of the
   settings, and the key one that it published itself. Keys and addresses that a token brings along (`jwk`,
   `jku`, `x5u`) are not looked at.
2. The key is bound to one algorithm of those that the settings name. The token must say the same one.
3. The signature, then the times, the audience and the subject. What the token must be and we cannot hold it
   to is refused: critical extensions, another type of token, one that is bound to a key of the caller's.
4. The claims must meet a grant. No grant, no access.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import anyio
import jwt
from jwt import exceptions as wrong

from ...report.visible import visible
from . import refusals
from .issuer_keys import IssuerKeys, NobodyKnows, NotKnown
from .issuer_settings import Grant, IssuerSettings
from .roles import LONGEST_NAME, Caller

_log = logging.getLogger(__name__)
_TYPES = frozenset({"jwt", "at+jwt"})
"""What a token may call itself (RFC 8725, 3.11): a logout token, say, is signed by the same keys."""
_REQUIRED = ("iss", "sub", "aud", "exp", "iat")
_ASK_ISSUER = "Get a new token from its issuer, for this service"
_ASK_KEEPER = "Ask whoever keeps service.oidc in mandate.yaml"
_WRONG: Sequence[tuple[type[wrong.PyJWTError], str]] = (
    (wrong.ExpiredSignatureError, "it has expired"),
    (wrong.ImmatureSignatureError, "it is not valid yet"),
    (wrong.InvalidAudienceError, "it is meant for another audience"),
    (wrong.InvalidSignatureError, "its signature does not verify"),
    (wrong.InvalidKeyError, "its issuer's key is too weak"),
    (wrong.MissingRequiredClaimError, f"it does not make each of the claims {', '.join(_REQUIRED)}"),
)


@dataclass(frozen=True, slots=True)
class Trusted:
    """An issuer and its keys."""

    settings: IssuerSettings
    keys: IssuerKeys


def seems_signed(token: str) -> bool:
    """Whether it has the three parts of a JWT."""
    return token.count(".") == 2  # noqa: PLR2004  (between header, claims and signature)


class Issuers:
    """All issuers whose tokens count."""

    def __init__(self, trusted: Sequence[Trusted]) -> None:
        self._by_name: Mapping[str, Trusted] = {each.settings.issuer: each for each in trusted}

    def __bool__(self) -> bool:
        return bool(self._by_name)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Keep the keys up to date in this context."""
        async with anyio.create_task_group() as group:
            for each in self._by_name.values():
                group.start_soon(each.keys.keep)
            yield
            group.cancel_scope.cancel()

    async def caller(self, token: str) -> Caller:
        """Whom the token is about. `Problem` 401 if it does not count, 403 if it grants nothing, 503 if
        nobody can say."""
        header, claimed = _unverified(token)
        issuer = claimed.get("iss")
        trusted = self._by_name.get(issuer) if isinstance(issuer, str) else None
        if trusted is None:
            raise refusals.invalid_token("nobody here trusts its issuer", _ASK_KEEPER)
        claims = await _verified(token, header, trusted)
        name = _name(claims, trusted.settings)
        roles = [role for grant in trusted.settings.grants if _meets(claims, grant) for role in grant.roles]
        if not roles:
            _log.warning("no grant is met", extra=_nearest(claims, trusted.settings) | {"caller": name})
            raise refusals.not_allowed(
                "your issuer is trusted, and none of its grants is for the claims of your token",
                f"{_ASK_KEEPER}: the log says which claims are missing",
            )
        return Caller(name, frozenset(roles), "oidc")


def _unverified(token: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Header and claims as anybody could have written them."""
    try:
        said = jwt.decode_complete(token, options={"verify_signature": False})
    except (wrong.PyJWTError, ValueError) as error:
        raise refusals.invalid_token("it cannot be read as a JWT", _ASK_ISSUER) from error
    header: Mapping[str, Any] = said["header"]
    claims: Mapping[str, Any] = said["payload"]
    kind = header.get("typ", "JWT")
    if not isinstance(kind, str) or kind.lower().removeprefix("application/") not in _TYPES:
        raise refusals.invalid_token("it is a token for something else", _ASK_ISSUER)
    if "crit" in header:
        raise refusals.invalid_token("it demands an extension that is not known here", _ASK_ISSUER)
    return header, claims


async def _verified(token: str, header: Mapping[str, Any], trusted: Trusted) -> Mapping[str, Any]:
    settings = trusted.settings
    algorithm, kid = header.get("alg"), header.get("kid")
    if not isinstance(algorithm, str) or algorithm not in settings.algorithms:
        raise refusals.invalid_token("it is not signed by an algorithm that counts", _ASK_ISSUER)
    if not isinstance(kid, str):
        raise refusals.invalid_token("it does not name its key", _ASK_ISSUER)
    try:
        key = await trusted.keys.find(kid, algorithm)
    except NotKnown as error:
        raise refusals.invalid_token("its issuer has no such key", _ASK_ISSUER) from error
    except NobodyKnows as error:
        raise refusals.nobody_knows(error.seconds) from error
    try:
        claims: Mapping[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[algorithm],
            audience=settings.audience,
            issuer=settings.issuer,
            leeway=settings.leeway_seconds,
            options={"require": [*_REQUIRED], "enforce_minimum_key_length": True},
        )
    except wrong.PyJWTError as error:
        what = next((what for kind, what in _WRONG if isinstance(error, kind)), "it is not what it must be")
        raise refusals.invalid_token(what, _ASK_ISSUER) from error
    if "cnf" in claims:
        raise refusals.invalid_token("it is bound to a key, and no bearer token", _ASK_ISSUER)
    return claims


def _name(claims: Mapping[str, Any], settings: IssuerSettings) -> str:
    """Subject and issuer, in words that no other issuer's tokens and no other subject can have."""
    subject, by = claims["sub"], settings.named_by
    said = [subject] if by is None else [claims.get(by), subject]
    if all(isinstance(each, str) and each for each in said):
        who = subject if by is None else f"{said[0]} ({subject})"
        name = f"{who} at {settings.shown}"
        if name.isprintable() and len(name) <= LONGEST_NAME:
            return name
    raise refusals.invalid_token("what it says of its subject is no name", _ASK_KEEPER)


def _meets(claims: Mapping[str, Any], grant: Grant) -> bool:
    return all(_is(claims.get(name), wanted) for name, wanted in grant.claims.items())


def _is(claimed: Any, wanted: str | bool | int) -> bool:
    """Whether the token says so. Python's 1 is True, and here it is not."""
    values = claimed if isinstance(claimed, list) else [claimed]
    return any(type(value) is type(wanted) and value == wanted for value in values)


def _nearest(claims: Mapping[str, Any], settings: IssuerSettings) -> dict[str, Any]:
    """For the log: the claims of the grant that lacks least, and what the token says instead."""
    lacking = [
        {name: wanted for name, wanted in grant.claims.items() if not _is(claims.get(name), wanted)}
        for grant in settings.grants
    ]
    least = min(lacking, key=len)
    return {
        "issuer": settings.issuer,
        "wanted": {visible(name): visible(str(wanted)) for name, wanted in least.items()},
        "claimed": {visible(name): visible(str(claims.get(name))) for name in least},
    }
