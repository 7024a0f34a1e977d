"""Text in Markdown that is text and never markup."""

from __future__ import annotations

import re

from .visible import visible

_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+\-.!|~>$^=:@])")


def literal(text: str, limit: int = 1000) -> str:
    """The text, of which nothing is markup, a link, an address or somebody's name to be notified."""
    shown = visible(text, limit).replace("&", "&amp;").replace("<", "&lt;")
    return _SPECIAL.sub(r"\\\1", shown).replace("\\@", "&#64;")
