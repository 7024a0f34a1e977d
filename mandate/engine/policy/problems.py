"""What is wrong with policies, as `mandate policy check` says it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from ..errors import BadPolicy

_CODE = re.compile(r" \((rego_[a-z_]+)\)$")
_LINE = re.compile(r"(?P<file>.+):(?P<line>[0-9]+)")

_COMPILERS = ("compiler", "opa-check")
_FOR_EDITORS = ("regal/custom/forbidden-function-call", "regal/mandate/metadata", "regal/mandate/rule-shape")
"""What these find the compiler finds as well."""


class Level(StrEnum):
    """How bad it is."""

    ERROR = "error"
    """The policies cannot be released like this."""
    WARNING = "warning"
    """Somebody should look at it."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to correct."""

    tool: str
    """Who found it: `compiler`, `conformance`, `deadlines`, `opa-check`, `opa-fmt`, `opa-test`, `regal` or
    `regal-test`."""
    rule: str
    """What it found, among the tool's own names: `rego_parse_error`, `thresholds`, `mandate/rule-shape`."""
    level: Level
    where: str
    """A file's label and the line, such as `organisation/thresholds/fairness.yaml:2`, or nothing."""
    what: str
    next_step: str = ""

    @property
    def id(self) -> str:
        """`tool/rule`."""
        return f"{self.tool}/{self.rule}"

    @property
    def file(self) -> str:
        """The label without the line."""
        match = _LINE.fullmatch(self.where)
        return match["file"] if match else self.where

    @property
    def line(self) -> int | None:
        """The line, from 1; `None` for a file as a whole."""
        match = _LINE.fullmatch(self.where)
        return int(match["line"]) if match else None


def problems_of(tool: str, error: BadPolicy) -> Iterator[Problem]:
    """What the error says, and what it has beside it: one problem each."""
    for fault in (error, *error.others):
        yield Problem(tool, _rule(fault), Level.ERROR, fault.where, fault.what, fault.next_step)


def _rule(fault: BadPolicy) -> str:
    if (code := _CODE.search(fault.what)) is not None:
        return code[1]
    for name in ("thresholds", "waivers", "people", "scope", "selection"):
        if re.search(rf"(^|/){name}(/|\.yaml)", fault.where):
            return name
    return "policy"


def in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Errors first, by place. What two tools say of one place in the same words is kept once.

    What Regal says for editors is left out of a file of which the compiler has said something.
    """
    kept: dict[tuple[str, str], Problem] = {}
    for problem in problems:
        kept.setdefault((problem.where, problem.what), problem)
    told = {problem.file for problem in kept.values() if problem.tool in _COMPILERS}
    new = [problem for problem in kept.values() if problem.id not in _FOR_EDITORS or problem.file not in told]
    return tuple(
        sorted(new, key=lambda problem: (problem.level, problem.file, problem.line or 0, problem.id))
    )
