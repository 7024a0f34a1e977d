"""Pages as a reader of HTML sees them."""

from __future__ import annotations

from pathlib import Path

from bs4 import BeautifulSoup, Tag
from markdown_it import MarkdownIt

READER = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def markdown(folder: Path) -> dict[str, BeautifulSoup]:
    """The Markdown pages in the folder, by path, as a forge renders them."""
    return {
        str(file.relative_to(folder)): parsed(READER.render(file.read_text()))
        for file in folder.rglob("*.md")
    }


def html(folder: Path) -> dict[str, BeautifulSoup]:
    """The HTML pages in the folder, by path."""
    return {str(file.relative_to(folder)): parsed(file.read_text()) for file in folder.rglob("*.html")}


def parsed(content: str) -> BeautifulSoup:
    return BeautifulSoup(content, "html.parser")


def attributes(page: BeautifulSoup, name: str) -> list[str]:
    """The attribute of every element that has it."""
    return [str(tag[name]) for tag in page.find_all(True) if isinstance(tag, Tag) and tag.has_attr(name)]


def links_to_nothing(pages: dict[str, BeautifulSoup]) -> list[tuple[str, str]]:
    """Links between pages whose page or anchor is not there."""
    nowhere = []
    for path, page in pages.items():
        for target in attributes(page, "href"):
            file, _, anchor = target.partition("?")[0].partition("#")
            if "://" in target or file.endswith((".css", ".svg", ".ico")):
                continue
            to = pages.get(_joined(path, file))
            if to is None or (anchor and not to.find(id=anchor)):
                nowhere.append((path, target))
    return nowhere


def _joined(path: str, relative: str) -> str:
    if not relative:
        return path
    parts = path.split("/")[:-1]
    for part in relative.split("/"):
        if part == "..":
            parts.pop()
        else:
            parts.append(part)
    return "/".join(parts)
