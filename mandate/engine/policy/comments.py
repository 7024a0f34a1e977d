"""The YAML comments above settings: why a value is what it is, in the words of whoever set it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .. import strict_yaml
from ..errors import BadPolicy
from .layers import Name
from .sources import Kind, Source, Sources

_BESIDE = re.compile(r"[^'\"#]*\s#\s?(?P<comment>.*)")


def above(lines: Sequence[str], line: int) -> str:
    """The comment that ends directly above the line (from 1), without `#`; empty if there is none."""
    comment: list[str] = []
    for text in reversed(lines[: max(line - 1, 0)]):
        if not text.lstrip().startswith("#"):
            break
        comment.append(text.lstrip().lstrip("#").strip())
    return "\n".join(reversed(comment))


def explaining(lines: Sequence[str], line: int) -> str:
    """The comment beside or above the value in this line (from 1), or else above the nearest key around it.

    Empty where there is none. A comment with a blank line below it is about the file, not about the value.
    """
    if not 0 < line <= len(lines):
        return ""
    if (beside := _BESIDE.fullmatch(lines[line - 1])) is not None:
        return beside["comment"].strip()
    at: int | None = line
    while at is not None:
        if comment := above(lines, at):
            return comment
        at = _around(lines, at)
    return ""


def of_value(sources: Sources, set_at: str) -> str:
    """The comment that explains the value which `set_at` names."""
    label, _, line = set_at.rpartition(":")
    for source in sources.of(Kind.YAML):
        if source.label == label:
            return explaining(_lines(source), int(line))
    return ""


def of_setting(sources: Sources, name: Name) -> str:
    """The first comment in any root above the setting, such as `("fairness", "minimum_group_size")`."""
    for source in sources.of(Kind.YAML):
        if source.path == f"thresholds/{name[0]}.yaml" and (comment := _above_setting(source, name)):
            return comment
    return ""


def _above_setting(source: Source, name: Name) -> str:
    """Above the setting, or else above the nearest group around it."""
    written = strict_yaml.load(source.content, BadPolicy, name=source.label).lines
    for end in range(len(name), 1, -1):
        if comment := above(_lines(source), written.get(name[1:end], 0)):
            return comment
    return ""


def _around(lines: Sequence[str], line: int) -> int | None:
    """The line of the key that this line stands below."""
    indent = _indent(lines[line - 1])
    above = (
        other
        for other in range(line - 1, 0, -1)
        if (text := lines[other - 1].strip()) and text[0] != "#" and _indent(lines[other - 1]) < indent
    )
    return next(above, None)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _lines(source: Source) -> list[str]:
    return source.content.decode("utf-8-sig").splitlines()
