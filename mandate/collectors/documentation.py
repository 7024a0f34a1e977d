"""The model card: which sections it has, and how many words stand in each.

A card is CommonMark. A section is a heading with the text below it, up to the next heading of its own or a
higher level. Comments and placeholders such as *TODO* are no text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import TYPE_CHECKING

from mandate.engine.errors import BadInput
from mandate.engine.input.base import Frozen, Name
from mandate.engine.input.gathering import Gathered, Sources, Target
from mandate.engine.input.registered import CardSection, Documentation

if TYPE_CHECKING:
    from markdown_it.token import Token

_MOST_BYTES = 1 << 20
_LONGEST_NAME = 512
_WORD = re.compile(r"\w+(?:[-'’.,/]\w+)*")
_PLACEHOLDER = re.compile(
    r"\W*(?:todo|tbd|tba|tbc|fixme|xxx|n/?a|none|placeholder|to be (?:determined|defined|done|added)"
    r"|coming soon|(?:more|further) information needed|lorem ipsum\b.*|\.\.\.|…)?\W*",
    re.IGNORECASE | re.DOTALL,
)


class Options(Frozen):
    """`collectors.documentation` in `mandate.yaml`."""

    card: Name = "run:model_card.md"
    """Location of the model card, in Markdown."""


class DocumentationCollector:
    """Collects the section `documentation`."""

    name = "documentation"

    def __init__(self, options: Options, sources: Sources) -> None:
        self._options = options
        self._sources = sources

    def collect(self, target: Target) -> Gathered:
        """The card's sections in its order. `SourceMissing` without a card, `BadInput` if it is not text."""
        file = self._sources.file(self._options.card)
        content = file.path.read_bytes()
        if len(content) > _MOST_BYTES:
            raise BadInput("the card is over 1 MiB", where=file.location, next_step="Log a shorter one")
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise BadInput(
                "the card is not UTF-8", where=file.location, next_step="Save it as UTF-8"
            ) from error
        card = Documentation(location=file.location, sections=tuple(_sections(text)))
        return Gathered({"documentation": card}, file.location, file.sha256)


@dataclass(slots=True)
class _Heading:
    """A heading, and the paragraphs, items and cells below it."""

    level: int
    name: str
    blocks: list[str] = field(default_factory=list)


def _sections(text: str) -> Iterator[CardSection]:
    """Each heading of the card; a heading without a name is none."""
    from markdown_it import MarkdownIt

    open_: list[_Heading] = []
    headings: list[_Heading] = []
    in_heading = False
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        if token.type == "heading_open":
            level = int(token.tag[1:])
            open_ = [heading for heading in open_ if heading.level < level]
            heading = _Heading(level, "")
            open_.append(heading)
            headings.append(heading)
            in_heading = True
        elif token.type == "heading_close":
            in_heading = False
        elif in_heading:
            headings[-1].name = _shown([token])
        elif token.type in ("inline", "fence", "code_block", "html_block"):
            for heading in open_:
                heading.blocks.append(_shown([token]))
    for heading in headings:
        if heading.name:
            yield CardSection(name=heading.name[:_LONGEST_NAME], words=_words(heading.blocks))


def _words(blocks: Iterable[str]) -> int:
    return sum(len(_WORD.findall(block)) for block in blocks if not _PLACEHOLDER.fullmatch(block))


def _shown(tokens: Iterable[Token]) -> str:
    """The text that a reader sees, in one line."""
    parts: list[str] = []
    for token in tokens:
        if token.children is not None:
            parts.append(_shown(token.children))
        elif token.type in ("html_block", "html_inline"):
            parts.append(_text_of(token.content))
        elif token.type in ("softbreak", "hardbreak"):
            parts.append(" ")
        else:
            parts.append(token.content)
    return " ".join("".join(parts).split())


class _Html(HTMLParser):
    """Keeps the text of HTML, without comments, scripts and styles."""

    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in ("script", "style") and self._hidden > 0

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.text.append(data)


def _text_of(html: str) -> str:
    parser = _Html()
    parser.feed(html)
    return " ".join(parser.text)
