"""Who is calling, and whether they may: by a bearer token that is on the list, by one that an issuer signed,
or by a client certificate that the TLS layer verified."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from anyio import to_thread
from fastapi import Request

from ...errors import BadConfiguration
from ...report.visible import visible
from ..problems import Problem
from . import refusals
from .issuers import Issuers, seems_signed
from .roles import ACCESS, Caller
from .tokens import Callers

_log = logging.getLogger(__name__)
_LONGEST_TOKEN = 16_384
"""Characters. What issuers sign with a person's groups in it reaches some thousands."""


class Authentication:
    """The ways in which callers are known."""

    def __init__(self, callers: Callers, issuers: Issuers) -> None:
        self._callers = callers
        self._issuers = issuers

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Keep what is known of issuers up to date in this context."""
        async with self._issuers.open():
            yield

    @property
    def problem(self) -> BadConfiguration | None:
        """Why the newest list of callers is not in use."""
        return self._callers.problem

    async def permitted(self, request: Request, route: str) -> Caller:
        """Who calls, if they may use the route of this name. `Problem` 401 or 403 if not, which is logged."""
        caller: Caller | None = None
        try:
            caller = await self._caller(request)
            _demand(caller, route)
        except Problem as problem:
            _log.warning("refused", extra=_refusal(request, route, caller, problem))
            raise
        request.state.caller = caller
        return caller

    async def _caller(self, request: Request) -> Caller:
        """Who calls. `Problem` 401 if nobody knows.

        Whom a body claims to be is never looked at. A token that is wrong is not made up for by a
        certificate: it is refused.
        """
        if self._callers.changed():
            # A long list takes a while to read, in which others are answered by the one before.
            await to_thread.run_sync(self._callers.look)
        headers = request.headers.getlist("authorization")
        if not headers:
            subject = _certificate(request)
            caller = None if subject is None else self._callers.by_certificate(subject)
        elif len(headers) > 1:
            # What stands before the service may have looked at the other one.
            raise refusals.unknown("there is more than one Authorization header")
        else:
            scheme, _, token = headers[0].partition(" ")
            caller = await self._by_token(token.strip()) if scheme.lower() == "bearer" else None
        if caller is None:
            raise refusals.unknown()
        return caller

    async def _by_token(self, token: str) -> Caller | None:
        if len(token) > _LONGEST_TOKEN:
            raise refusals.unknown(f"the token has more than {_LONGEST_TOKEN} characters")
        listed = self._callers.by_token(token)
        if listed is None and self._issuers and seems_signed(token):
            return await self._issuers.caller(token)
        return listed


def _demand(caller: Caller, route: str) -> None:
    if not caller.may(route):
        has = ", ".join(sorted(caller.roles)) or "none"
        raise refusals.not_allowed(
            f"{caller.name} has the role {has}, and this takes one of the roles "
            f"{', '.join(sorted(ACCESS.get(route, ())))}",
            "Ask whoever keeps the list of callers, or the grants of your issuer, for the role",
        )


def _refusal(request: Request, route: str, caller: Caller | None, problem: Problem) -> dict[str, object]:
    """What the log says of it: everything but the token."""
    return {
        "method": visible(request.method, 20),
        "route": route,
        "status": problem.status,
        "reason": visible(problem.detail or problem.title),
        "client": None if request.client is None else request.client.host,
        "caller": None if caller is None else visible(caller.name),
        "how": None if caller is None else caller.how,
    }


def _certificate(request: Request) -> str | None:
    """The subject of the client certificate, in the words of the ASGI TLS extension."""
    tls = request.scope.get("extensions", {}).get("tls", {})
    subject = tls.get("client_cert_name")
    return subject if isinstance(subject, str) and subject else None
