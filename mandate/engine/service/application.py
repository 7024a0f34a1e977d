"""The ASGI application: routes, errors and limits, over parts that somebody else puts together."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.routing import Route

from ... import __version__
from . import problems
from .access.roles import ACCESS, OPEN
from .observing import Observing
from .parts import Parts
from .routes import admission, decisions, health, log, people, records, subjects

_ROUTERS = (
    decisions.router,
    subjects.router,
    records.router,
    people.router,
    log.router,
    admission.router,
    health.router,
)


def application(parts: Parts) -> FastAPI:
    """The service over these parts, which are open while it runs."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with parts.authentication.open():
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
    for router in _ROUTERS:
        app.include_router(router)
    routes = [
        route
        for each in (app.routes, *(router.routes for router in _ROUTERS))
        for route in each
        if isinstance(route, Route)
    ]
    problems.handle(app, routes)
    _demand_access(routes)
    app.add_middleware(Observing, metrics=parts.metrics, tracing=parts.tracing)
    return app


def _demand_access(routes: Iterable[Route]) -> None:
    """A route that the table of roles does not know would be open to nobody, and nobody would know why."""
    named = {route.name for route in routes}
    if unknown := named ^ (ACCESS.keys() | OPEN):
        raise RuntimeError(f"the routes and the table of roles differ in {', '.join(sorted(unknown))}")
