"""Markdown out of text that others wrote: CommonMark with the tables of GitHub, which MyST reads as well.

Whatever stands in METADATA, a YAML file or a waiver comes out as the text that it is. It becomes no HTML, no
link, no cell of a table, no directive and no role, and it does not reorder what a person reads.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from ...digests import canonical

_MARKUP = re.compile(r"[\\`*{}\[\]<>#~$&^]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_BEGINS_A_BLOCK = re.compile(r"(?:[0-9]+(?=[.)]))?(?=[-+=%:(.)])")
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9 ]")
_PLAIN_CODE = re.compile(r"[^`|\\\s](?:[^`|\\]*[^`|\\\s])?")
_BLANK_LINES = re.compile(r"\n\s*\n")
_BACKTICKS = re.compile(r"`+")


def text(value: str) -> str:
    """The text as one paragraph. What stands between backticks is code, as its writer meant it."""
    parts = " ".join(value.split()).split("`")
    if len(parts) % 2 == 0 or not all(part.strip() for part in parts[1:-1]):
        return _opening(_escaped("`".join(parts)))
    return _opening(
        "".join(code(part.strip()) if at % 2 else _escaped(part) for at, part in enumerate(parts))
    )


def paragraphs(value: str) -> str:
    """The text with its paragraphs."""
    return "\n\n".join(text(part) for part in _BLANK_LINES.split(value) if part.strip())


def code(value: str) -> str:
    """The text as code, in a paragraph or in a table's cell."""
    shown = _visible(value)
    if _PLAIN_CODE.fullmatch(shown):
        return f"`{shown}`"
    return html_code(shown)  # no escape inside backticks is read alike by all


def html_code(value: str) -> str:
    """The text as code, in HTML."""
    return f"<code>{_NOT_PLAIN.sub(_entity, _visible(value))}</code>"


def value(found: Any) -> str:
    """A JSON value as code; a list as its items."""
    if isinstance(found, list):
        return ", ".join(map(value, found)) or "none"
    return code(found if isinstance(found, str) else canonical(found).decode())


def fence(language: str, content: str) -> str:
    """A block of code."""
    lines = content.splitlines()
    shown = "\n".join("\t".join(_visible(part) for part in line.split("\t")) for line in lines)
    marks = "`" * max(3, 1 + max(map(len, _BACKTICKS.findall(shown)), default=0))
    return f"{marks}{language}\n{shown}\n{marks}"


def heading(level: int, title: str, anchor: str = "") -> str:
    """A heading of Markdown text, with an anchor that a link can name."""
    return f"{'#' * level} {anchored(title, anchor) if anchor else title}"


def anchored(content: str, anchor: str) -> str:
    """Markdown with an anchor before it; forges keep this element, and so does MyST."""
    return f'<a id="{anchor}"></a>{content}'


def link(label: str, target: str) -> str:
    """A link; the label is Markdown."""
    return f"[{label}]({target})"


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of Markdown cells. No cell has a bar in it: `text` and `code` write bars as entities."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def document(*blocks: str) -> str:
    """Blocks with a blank line between them; empty ones are left out."""
    return "\n\n".join(block for block in blocks if block) + "\n"


def _visible(plain: str) -> str:
    """Control characters, separators of lines and what reorders text come out as escapes."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in plain
    )


def _escaped(plain: str) -> str:
    marked = _MARKUP.sub(lambda found: f"\\{found[0]}", _visible(plain))
    return marked.replace("|", "&#124;")


def _opening(paragraph: str) -> str:
    """The paragraph, so that its first characters begin no list, heading, target or comment."""
    found = _BEGINS_A_BLOCK.match(paragraph)
    return f"{found[0]}\\{paragraph[found.end() :]}" if found else paragraph


def _entity(found: re.Match[str]) -> str:
    return f"&#{ord(found[0])};"
