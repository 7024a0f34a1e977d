"""The ASGI application: routes, errors and limits, over parts that somebody else puts together."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request, Response
from starlette.routing import Route

from ... import __version__
from ..report.visible import visible
from . import problems
from .access.roles import ACCESS, OPEN, Caller
from .metrics import Metrics
from .parts import Parts
from .routes import admission, decisions, health, log, records, subjects

_log = logging.getLogger(__name__)
_ROUTERS = (
    decisions.router,
    subjects.router,
    records.router,
    log.router,
    admission.router,
    health.router,
)


def application(parts: Parts) -> FastAPI:
    """The service over these parts, which it closes when it ends."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with parts.authentication.open():
            with parts.open():
                yield

    app = FastAPI(
        title="Mandate",
        version=__version__,
        summary="May this model pass? Allow or deny with reasons, and signed evidence of why.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.parts = parts
    problems.handle(app)
    for router in _ROUTERS:
        app.include_router(router)
    _demand_access(app)
    app.middleware("http")(_measured(parts.metrics))
    return app


def _demand_access(app: FastAPI) -> None:
    """A route that the table of roles does not know would be open to nobody, and nobody would know why."""
    routes = [*app.routes, *(route for router in _ROUTERS for route in router.routes)]
    named = {route.name for route in routes if isinstance(route, Route)}
    if unknown := named ^ (ACCESS.keys() | OPEN):
        raise RuntimeError(f"the routes and the table of roles differ in {', '.join(sorted(unknown))}")


def _measured(
    metrics: Metrics,
) -> Callable[[Request, Callable[[Request], Awaitable[Response]]], Awaitable[Response]]:
    async def measured(request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
        began = time.perf_counter()
        status = 500
        try:
            response = await answer(request)
            status = response.status_code
        finally:
            # The route's pattern, never the path: a caller must not make as many series as it likes.
            route = getattr(request.scope.get("route"), "path", "unknown")
            seconds = time.perf_counter() - began
            metrics.requests.labels(request.method, route, str(status)).inc()
            metrics.seconds.labels(route).observe(seconds)
            _log.info(
                "answered",
                extra={
                    "method": visible(request.method, 20),
                    "route": route,
                    "status": status,
                    "seconds": round(seconds, 6),
                    **_who(request),
                },
            )
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return measured


def _who(request: Request) -> dict[str, str]:
    """Who called and how that is known, if it is."""
    caller: Caller | None = getattr(request.state, "caller", None)
    return {} if caller is None else {"caller": visible(caller.name), "how": caller.how}
