"""Who is calling: by a bearer token, or by a client certificate that the TLS layer verified."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fastapi import Request

from ..problems import Problem
from .roles import Caller

Recognised = Callable[[str], Caller | None]
"""The caller who has this token or certificate; `None` if nobody has."""


@dataclass(frozen=True, slots=True)
class Authentication:
    """The ways in which callers are known."""

    by_token: Recognised
    by_certificate: Recognised

    def caller(self, request: Request) -> Caller:
        """Who calls. `Problem` 401 if nobody knows.

        Whom a body claims to be is never looked at. A token that is wrong is not made up for by a
        certificate: it is refused.
        """
        header = request.headers.get("authorization")
        if header is None:
            subject = _certificate(request)
            caller = None if subject is None else self.by_certificate(subject)
        else:
            scheme, _, token = header.partition(" ")
            caller = self.by_token(token.strip()) if scheme.lower() == "bearer" else None
        if caller is None:
            raise Problem(
                401,
                "Nobody knows you",
                next_step="Send Authorization: Bearer and a token that is on the list of callers",
                headers={"WWW-Authenticate": 'Bearer realm="mandate"'},
            )
        return caller


def _certificate(request: Request) -> str | None:
    """The subject of the client certificate, in the words of the ASGI TLS extension."""
    tls = request.scope.get("extensions", {}).get("tls", {})
    subject = tls.get("client_cert_name")
    return subject if isinstance(subject, str) and subject else None
