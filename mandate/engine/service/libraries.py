"""What the service is made with, which no other command needs."""

from __future__ import annotations

from importlib.util import find_spec

from ..errors import BadConfiguration

_LIBRARIES = {
    "fastapi": "fastapi",
    "jwt": "pyjwt",
    "prometheus_client": "prometheus-client",
    "uvicorn": "uvicorn",
}
"""Modules, and the packages that have them."""


def demand() -> None:
    """Return if all are installed; `BadConfiguration` if not."""
    missing = [package for module, package in _LIBRARIES.items() if find_spec(module) is None]
    if missing:
        raise BadConfiguration(
            f"the service is made with libraries that are not installed: {', '.join(missing)}",
            next_step="Run `pip install 'mandate[service]'`",
        )
