"""Where programs that Mandate built are kept: one place a user, shared by checkouts and installed wheels."""

from __future__ import annotations

import os
from pathlib import Path

from .versions import pinned


def data_home() -> Path:
    """`$XDG_DATA_HOME/mandate`, or `~/.local/share/mandate`.

    A relative `XDG_DATA_HOME` is ignored, as the XDG base directory specification demands.
    """
    configured = os.environ.get("XDG_DATA_HOME", "")
    base = Path(configured) if configured.startswith("/") else Path.home() / ".local" / "share"
    return base / "mandate"


def folder(tool: str) -> Path:
    """The folder of the pinned version of `opa` or `regal`."""
    return data_home() / f"{tool}-{pinned(tool)}"


def program(tool: str) -> Path:
    """Where the pinned version of `opa` or `regal` is, once it was built."""
    return folder(tool) / tool
