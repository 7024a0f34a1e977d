"""The YAML comments above settings: why a value is what it is, in the words of whoever set it."""

from __future__ import annotations

from collections.abc import Sequence

from .. import strict_yaml
from ..errors import BadPolicy
from .layers import Name
from .sources import Kind, Source, Sources


def above(lines: Sequence[str], line: int) -> str:
    """The comment that ends directly above the line (from 1), without `#`; empty if there is none."""
    comment: list[str] = []
    for text in reversed(lines[: line - 1]):
        if not text.lstrip().startswith("#"):
            break
        comment.append(text.lstrip().lstrip("#").strip())
    return "\n".join(reversed(comment))


def of_value(sources: Sources, name: Name, set_at: str) -> str:
    """The comment above a value that `set_at` names, or else above the whole setting in the same file."""
    label, _, line = set_at.rpartition(":")
    for source in sources.of(Kind.YAML):
        if source.label == label:
            lines = source.content.decode("utf-8-sig").splitlines()
            return above(lines, int(line)) or above(lines, _line(source, name))
    return ""


def of_setting(sources: Sources, name: Name) -> str:
    """The first comment in any root above the setting, such as `("fairness", "minimum_group_size")`."""
    for source in sources.of(Kind.YAML):
        if source.path == f"thresholds/{name[0]}.yaml" and (line := _line(source, name)):
            lines = source.content.decode("utf-8-sig").splitlines()
            if comment := above(lines, line):
                return comment
    return ""


def _line(source: Source, name: Name) -> int:
    """The line of the setting in its file; 0 if it is not there."""
    document = strict_yaml.load(source.content, BadPolicy, name=source.label)
    return document.lines.get(name[1:], 0)
