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
    for text in reversed(lines[: max(line - 1, 0)]):
        if not text.lstrip().startswith("#"):
            break
        comment.append(text.lstrip().lstrip("#").strip())
    return "\n".join(reversed(comment))


def of_value(sources: Sources, name: Name, set_at: str) -> str:
    """The comment above a value that `set_at` names, or else above the whole setting in the same file."""
    label, _, line = set_at.rpartition(":")
    for source in sources.of(Kind.YAML):
        if source.label == label:
            return above(_lines(source), int(line)) or _above_setting(source, name)
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


def _lines(source: Source) -> list[str]:
    return source.content.decode("utf-8-sig").splitlines()
