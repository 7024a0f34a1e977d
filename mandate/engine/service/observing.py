"""Around each request: its id, its line in the log, its measurements, its span, and headers of its answer."""

from __future__ import annotations

import logging
import re
import time
from typing import Any

import uuid_utils
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..report.visible import visible
from .access.roles import Caller
from .current import CURRENT, Current
from .metrics import Metrics
from .tracing import Tracing

_log = logging.getLogger(__name__)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,99}")
_HEADER = "X-Request-ID"
_FAILED = 500


class Observing:
    """ASGI middleware. What callers choose becomes neither a label nor a line of the log."""

    def __init__(self, app: ASGIApp, metrics: Metrics, tracing: Tracing) -> None:
        self._app = app
        self._metrics = metrics
        self._tracing = tracing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve what is below, and say how it went."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        status = _FAILED
        headers = Headers(scope=scope)
        given = headers.get(_HEADER, "")
        current = Current(given if _ID.fullmatch(given) else str(uuid_utils.uuid7()))
        method = scope["method"] if scope["method"] in _METHODS else "other"

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                added = MutableHeaders(scope=message)
                added[_HEADER] = current.id
                added["X-Content-Type-Options"] = "nosniff"
                added.setdefault("Cache-Control", "no-store")
            await send(message)

        with self._tracing.request(method, headers) as attributes:
            current.trace = attributes.get("trace")
            token = CURRENT.set(current)
            try:
                await self._app(scope, receive, sending)
            finally:
                # The route's pattern, never the path: a caller must not make as many series as it likes.
                route = getattr(scope.get("route"), "path", "unknown")
                seconds = time.perf_counter() - began
                self._metrics.requests.labels(method, route, str(status)).inc()
                self._metrics.seconds.labels(route).observe(seconds)
                led_to = _led_to(current)
                attributes.update({"http.route": route, "http.response.status_code": status, **led_to})
                _log.info(
                    "answered",
                    extra={
                        "method": method,
                        "route": route,
                        "status": status,
                        "seconds": round(seconds, 6),
                        **_who(scope),
                        **led_to,
                    },
                )
                CURRENT.reset(token)


def _who(scope: Scope) -> dict[str, str]:
    """Who called and how that is known, if it is."""
    caller: Caller | None = scope.get("state", {}).get("caller")
    return {} if caller is None else {"caller": visible(caller.name), "how": caller.how}


def _led_to(current: Current) -> dict[str, Any]:
    """The decision, if there is one; how many, if there are many."""
    if not current.decisions:
        return {}
    if len(current.decisions) > 1:
        return {"decisions": len(current.decisions)}
    return {"decision": current.decisions[0], "outcome": current.outcome}
