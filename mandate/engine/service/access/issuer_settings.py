"""Whose tokens count besides those on the list of callers: OpenID Connect issuers, and what for."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from ...input.base import Frozen, Name
from .addresses import address
from .roles import Role

Algorithm = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
"""Signatures by keys of which only the issuer has the private half: no HMAC, and never `none`."""

_SAY_WHOSE: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "https://token.actions.githubusercontent.com": frozenset(
            {"sub", "repository", "repository_id", "repository_owner", "repository_owner_id"}
        ),
        "https://gitlab.com": frozenset(
            {"sub", "project_path", "project_id", "namespace_path", "namespace_id"}
        ),
        "https://accounts.google.com": frozenset({"sub", "email", "hd"}),
    }
)
"""Issuers that sign for everybody in the world, and the claims of which one says whose a token is. Not
`job_workflow_ref`: anybody may call a workflow that is public."""


class Grant(Frozen):
    """What a token may do that makes these claims."""

    claims: Annotated[dict[Name, str | bool | int], Field(min_length=1)]
    """All of them must be in the token with exactly this value; where the token has a list, it must be in
    it."""
    roles: Annotated[list[Annotated[Role, Field(strict=False)]], Field(min_length=1)]


def _is_bare(issuer: str) -> str:
    if "?" in issuer:
        raise PydanticCustomError("issuer", "an issuer has no query")
    return issuer


class IssuerSettings(Frozen):
    """An issuer whose tokens count, and for what."""

    issuer: Annotated[Name, AfterValidator(_is_bare)]
    """Its URL, exactly as the claim `iss` has it."""
    audience: Name
    """What the claim `aud` must name: this service, and nothing else that takes the issuer's tokens."""
    algorithms: Annotated[list[Algorithm], Field(min_length=1)] = ["RS256"]
    """Which signatures count."""
    jwks_uri: Name | None = None
    """Where its keys are; `None`: where `{issuer}/.well-known/openid-configuration` says."""
    jwks_file: Name | None = None
    """A file with its keys (a JWK Set), where nothing is to be fetched."""
    ca: Name | None = None
    """A PEM file with the only authorities to trust for fetching."""
    leeway_seconds: Annotated[int, Field(ge=0, le=300)] = 30
    """By how much the issuer's clock may differ."""
    refresh_seconds: Annotated[int, Field(ge=1, le=86_400)] = 300
    """How often the keys are read again: a key that the issuer withdrew counts so much longer."""
    keep_seconds: Annotated[int, Field(ge=1, le=7 * 86_400)] = 3600
    """How long the keys count after they were last read, while they cannot be read again."""
    pause_seconds: Annotated[int, Field(ge=1, le=3600)] = 10
    """The least time between two readings, however many tokens name a key that nobody knows."""
    fetch_seconds: Annotated[float, Field(gt=0, le=60, strict=False)] = 5.0
    """For one reading, from end to end."""
    plain_loopback: bool = False
    """Whether keys may be fetched by `http://` from 127.0.0.1 or ::1: for tests."""
    named_by: Name | None = None
    """A claim that people read better than `sub`, such as `email`: the caller's name has both."""
    grants: Annotated[list[Grant], Field(min_length=1)]
    """What a token may do: all that the grants say whose claims it makes; nothing, if it makes none's."""

    @model_validator(mode="after")
    def _can_be_trusted(self) -> Self:
        if self.jwks_uri is not None and self.jwks_file is not None:
            raise PydanticCustomError("keys", "give jwks_uri or jwks_file, not both")
        for name, url in (("issuer", self.issuer), ("jwks_uri", self.jwks_uri)):
            try:
                if url is not None:
                    address(url, plain_loopback=self.plain_loopback)
            except ValueError as error:
                raise PydanticCustomError(
                    "url", "{name}: {what}", {"name": name, "what": str(error)}
                ) from error
        if self.keep_seconds < self.refresh_seconds:
            raise PydanticCustomError("keep", "keep_seconds must not be less than refresh_seconds")
        needed = _SAY_WHOSE.get(self.issuer.rstrip("/"))
        if needed and any(needed.isdisjoint(grant.claims) for grant in self.grants):
            raise PydanticCustomError(
                "everybody",
                "this issuer signs for everybody: each grant must name one of {claims}",
                {"claims": ", ".join(sorted(needed))},
            )
        return self

    @property
    def shown(self) -> str:
        """The issuer as part of a caller's name."""
        return self.issuer.removeprefix("https://").rstrip("/")
