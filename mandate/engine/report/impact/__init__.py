"""What other policies would have decided, shown: one module a format, each with `write(impact, stream)`."""

from __future__ import annotations

from importlib import import_module
from typing import Protocol, TextIO, cast

from ...replay.summary import Impact

FORMATS = {"text": "terminal", "json": "machine", "markdown": "markdown"}
"""The name of each format, and the module that writes it."""


class Report(Protocol):
    """A format."""

    def write(self, impact: Impact, stream: TextIO) -> None:
        """Show `impact`, complete or not."""


def report(name: str) -> Report:
    """The format of this name."""
    return cast(Report, import_module(f".{FORMATS[name]}", __name__))
