"""All pages as Markdown. The same policies give the same bytes."""

from __future__ import annotations

from . import overviews
from .library import Library
from .links import page
from .rule_page import rule_page


def pages(library: Library) -> dict[str, str]:
    """The pages by their paths; links between them are relative."""
    return {
        "index.md": overviews.index(library),
        "collections.md": overviews.collections(library),
        "controls.md": overviews.controls(library),
        "thresholds.md": overviews.thresholds(library),
        **{f"{page(rule.id)}.md": rule_page(rule, library) for rule in library.rules},
    }
