"""The demo's last screen: three answers, the figures that decided them, the evidence, what to try next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

WIDTH = 100

_BADGES = {"allow": (" ALLOWED ", "bold white on green"), "deny": (" DENIED ", "bold white on red")}
_TELLING = ("fairness.demographic_parity", "fairness.disparate_impact", "performance.minimum", "drift.psi")
"""The rules whose figures are shown of an allow."""
_SHOWN = 4
AGAINST = ("violation", "no_verdict")
"""Outcomes of findings that make an allow impossible."""

Answer = dict[str, Any]
"""What `mandate check --output json` prints."""


Pairs = Iterable[tuple[str, str]]


def show(console: Console, chapters: Iterable[tuple[str, Answer]], evidence: Pairs, commands: Pairs) -> None:
    """`chapters`: titles with answers. `evidence`: names with values. `commands`: purposes with commands."""
    console.print(Rule("One model, three questions, three signed answers", style="dim"))
    console.print()
    for title, answer in chapters:
        console.print(Group(*_chapter(title, answer)))
    console.print(Panel(_pairs(evidence), title="The evidence", title_align="left", border_style="dim"))
    console.print("\n  Try next", style="bold")
    for purpose, command in commands:
        console.print(Text(f"    # {purpose}"), style="dim")
        # Never broken by the screen: it is there to be copied.
        console.print(Text(folded(command, console.width)), style="cyan", soft_wrap=True)
    console.print()


def decisive(answer: Answer) -> list[dict[str, Any]]:
    """The findings that decided a denial; of an allow, those nearest to their bounds, one a rule."""
    findings = [finding for finding in answer.get("findings", []) if _is_number(finding.get("measured"))]
    if answer["outcome"] != "allow":
        against = [finding for finding in findings if finding["outcome"] == "violation"]
        return sorted(against, key=_room)[:_SHOWN]
    nearest: dict[str, dict[str, Any]] = {}
    for finding in sorted(findings, key=_room, reverse=True):
        if finding["rule"] in _TELLING:
            nearest[finding["rule"]] = finding
    return [nearest[rule] for rule in _TELLING if rule in nearest]


def _chapter(title: str, answer: Answer) -> Iterator[RenderableType]:
    label, style = _BADGES.get(answer["outcome"], (f" {answer['outcome'].upper()} ", "bold black on yellow"))
    yield Text.assemble("  ", (label, style), "  ", (title, "bold"))
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(width=2)
    table.add_column(style="dim", overflow="fold", max_width=32)
    table.add_column(overflow="fold", max_width=24)
    table.add_column(justify="right")
    table.add_column(style="dim")
    shown = decisive(answer)
    for finding in shown:
        passed = finding["outcome"] == "passed"
        mark = Text("✓", "green") if passed else Text("✗", "red")
        measured = Text(_number(finding["measured"]), "green" if passed else "bold red")
        bound = f"must be {_words(finding['comparison'])} {_number(finding['bound'])}"
        table.add_row(mark, Text(finding["rule"]), Text(str(finding["term"])), measured, Text(bound))
    yield Padding(table, (0, 0, 0, 4))
    against = sum(finding["outcome"] in AGAINST for finding in answer.get("findings", []))
    if answer["outcome"] != "allow" and against > len(shown):
        yield Text(f"       and {against - len(shown)} more", "dim")
    passed_checks = sum(finding["outcome"] == "passed" for finding in answer.get("findings", []))
    yield Text(f"       {passed_checks} checks passed · decision {answer['id']}", "dim")
    yield Text()


def _pairs(pairs: Pairs) -> RenderableType:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="dim")
    grid.add_column(overflow="fold")
    for name, value in pairs:
        grid.add_row(name, Text(value))
    return grid


def folded(command: str, width: int) -> str:
    """The command, indented, in lines of at most `width` columns if possible, which a shell reads as one."""
    first, *options = command.split(" --")
    lines = [f"    {first}"]
    for option in (f"--{option}" for option in options):
        if len(lines[-1]) + len(option) + len("  \\") < width:
            lines[-1] += f" {option}"
        else:
            lines.append(f"      {option}")
    return " \\\n".join(lines)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _room(finding: dict[str, Any]) -> float:
    """How far the figure is from its bound, relative to the bound; negative beyond it."""
    measured, bound = float(finding["measured"]), finding["bound"]
    if not _is_number(bound):
        return 0.0
    limit = float(bound)
    distance = measured - limit if finding["comparison"].startswith(">") else limit - measured
    return distance / (abs(limit) or 1.0)


def _number(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _words(comparison: str) -> str:
    return {"<=": "≤", ">=": "≥", "==": "="}.get(comparison, comparison)
