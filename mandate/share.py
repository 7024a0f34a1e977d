"""Where the files that travel with Mandate are: in a checkout beside the package, in a wheel inside it."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def policies() -> Path:
    """The folder of the policy library."""
    return _shared("policies")


def opa() -> Path:
    """The folder with OPA's build recipe, refused versions and configuration."""
    return _shared("opa")


def _shared(name: str) -> Path:
    installed = _PACKAGE / "_share" / name
    return installed if installed.is_dir() else _PACKAGE.parent / name
