"""How an answer is shown: one module a format, each with `write(answer, stream)`."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, TextIO, cast

if TYPE_CHECKING:
    from ..gate import Answer

FORMATS = {
    "text": "terminal",
    "json": "machine",
    "markdown": "markdown",
    "junit": "junit",
    "sarif": "sarif",
}
"""The name of each format, and the module that writes it."""


Link = Callable[[str], str]
"""Gives the address of a rule's documentation by the rule's id. No part of what was decided or recorded."""


class Report(Protocol):
    """A format."""

    def write(self, answer: Answer, stream: TextIO, *, verbose: bool, link: Link | None = None) -> None:
        """Show `answer`; `verbose` also shows what passed and what did not apply."""


def report(name: str) -> Report:
    """The format of this name. Modules are imported when they are needed: some cost a tenth of a second."""
    return cast(Report, import_module(f".{FORMATS[name]}", __name__))
