"""The answer for a person at a terminal."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from itertools import groupby
from operator import attrgetter
from typing import TextIO

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ..decision import Finding, FindingOutcome, Outcome, WaiverReport
from ..gate import Answer
from ..input import Collected
from . import Link, earlier
from .visible import visible

_VERDICT = {
    Outcome.ALLOW: (" ALLOW ", "bold white on green"),
    Outcome.DENY: (" DENY ", "bold white on red"),
    Outcome.UNDECIDED: (" UNDECIDED ", "bold black on yellow"),
}
_SIGNS = {"<=": "≤", ">=": "≥", "==": "="}
_DIGEST = re.compile(r"[0-9a-f]{32,}")
_BLANK = re.compile(r"\n{3,}")
_WIDTH = 100
_TERMS = 6
"""How many terms of one rule are shown before `mandate explain` has to be asked."""


def console(stream: TextIO) -> Console:
    """A console on `stream`, at most 100 columns wide; colours only where the stream is a terminal."""
    columns = Console(file=stream).width if stream.isatty() or "COLUMNS" in os.environ else _WIDTH
    return Console(file=stream, width=min(columns, _WIDTH), highlight=False, markup=False, emoji=False)


def write(answer: Answer, stream: TextIO, *, verbose: bool, link: Link | None = None) -> None:
    """The verdict, what stands against it, what to do, and where the evidence is."""
    shown = console(stream)
    with shown.capture() as capture:
        shown.print(Group(*_parts(answer, verbose=verbose, link=link)))
    text = "".join(f"{line.rstrip()}\n" for line in capture.get().splitlines())
    stream.write(_BLANK.sub("\n\n", text))  # a part that is not there leaves no line of its own


def _parts(answer: Answer, *, verbose: bool, link: Link | None) -> Iterator[RenderableType]:
    decision = answer.decision
    yield Text()
    yield _headline(answer)
    if answer.what_if:
        yield Text(" What would be decided, and no more: nothing is allowed by this answer.", "yellow")
    yield Text()
    for reason in decision.reasons:
        yield _marked("■", "yellow", Text(visible(reason, 2000)))
        yield Text()
    # Where nobody could decide, the reason is what matters: not that each rule lacks the same facts.
    brief = answer.outcome is Outcome.UNDECIDED and not verbose
    unjudged = tuple(_unjudged(decision.violations)) if brief else ()
    for mark, colour, findings in (
        ("✗", "red", tuple(finding for finding in decision.violations if finding.rule not in unjudged)),
        ("!", "yellow", decision.warnings),
        ("~", "magenta", decision.waived),
    ):
        for _, of_rule in groupby(findings, key=attrgetter("rule")):
            yield _marked(mark, colour, Group(*_rule(tuple(of_rule), verbose=verbose, link=link)))
            yield Text()
    if unjudged:
        names = f"{_counted(len(unjudged), 'rule')} could not judge: {', '.join(unjudged)}"
        yield _marked("✗", "red", Text(f"{names}. `mandate explain` shows what each lacks."))
        yield Text()
    for waiver in decision.waivers:
        if waiver.warning:
            yield _marked("!", "yellow", _waiver(waiver))
            yield Text()
    if decision.passed:
        yield _passed(decision.passed, verbose=verbose)
    if decision.not_applicable:
        yield _not_applicable(answer, verbose=verbose)
    for sentence in earlier.sentences(answer.document):
        yield _marked("·", "dim", Text(sentence))
    if verbose and answer.document.collection:
        yield Text()
        yield _collection(answer)
    yield Text()
    yield _evidence(answer)


def _unjudged(findings: tuple[Finding, ...]) -> Iterator[str]:
    """The rules of which no term was judged."""
    for rule, of_rule in groupby(findings, key=attrgetter("rule")):
        if all(finding.outcome is FindingOutcome.NO_VERDICT for finding in of_rule):
            yield rule


def _headline(answer: Answer) -> Text:
    subject, request = answer.document.subject, answer.document.request
    label, style = _VERDICT[answer.outcome]
    line = Text()
    line.append(f" WHAT IF:{label}" if answer.what_if else label, style)
    line.append(f"  {visible(subject.name)} version {visible(subject.version)}", "bold")
    line.append(
        f"  {request.action} · {visible(request.environment)} · risk tier {visible(subject.risk_tier)}"
    )
    return line


def _rule(findings: tuple[Finding, ...], *, verbose: bool, link: Link | None) -> Iterator[RenderableType]:
    """What one rule found: a sentence for each term, then what they have in common."""
    first, *_ = findings
    line = Text(first.rule, "bold")
    if first.title:
        line.append(f"  {first.title}", "not bold dim")
    yield line
    shown = findings if verbose else findings[:_TERMS]
    for finding in shown:
        yield Text(visible(finding.message or finding.comparison, 2000))
    if len(shown) < len(findings):
        yield Text(f"… and {len(findings) - len(shown)} more: `mandate explain` shows them", "dim")
    if first.solution:
        yield Text(f"→ {first.solution}")
    bounds = dict.fromkeys(finding.bound_set_at for finding in findings if finding.bound_set_at)
    sources = [*(f"bound set at {place}" for place in bounds), *first.controls]
    if sources:
        yield Text(" · ".join(sources), "dim")
    if link is not None:
        yield Text(visible(link(first.rule), 2000), "dim")


def _waiver(waiver: WaiverReport) -> RenderableType:
    """A waiver that somebody should look at."""
    line = Text("waiver of ", "bold")
    line.append(visible(waiver.rule))
    line.append(f"  {visible(waiver.id)}", "not bold dim")
    return Group(line, Text(visible(waiver.warning or "", 600)))


def _passed(findings: tuple[Finding, ...], *, verbose: bool) -> RenderableType:
    rules = {finding.rule: None for finding in findings}
    summary = f"{_counted(len(findings), 'check')} passed, of {_counted(len(rules), 'rule')}"
    if not verbose:
        return _marked("✓", "green", Text(f"{summary}: {', '.join(rules)}"))
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    table.add_column(overflow="fold")
    for finding in findings:
        table.add_row(finding.rule, visible(finding.term), visible(_holds(finding)))
    return _marked("✓", "green", Group(Text(summary), table))


def _holds(finding: Finding) -> str:
    measured = _value(finding.measured)
    if finding.comparison == "present":
        return measured
    sign = _SIGNS.get(finding.comparison, finding.comparison)
    return f"{measured} {sign} {_value(finding.bound)}"


def _not_applicable(answer: Answer, *, verbose: bool) -> RenderableType:
    """How many there are; each of them where that is asked for, and what was replaced in any case."""
    rules = answer.decision.not_applicable
    shown = [rule for rule in rules if verbose or rule.replaced_by]
    lines = [] if verbose else [f"{_counted(len(rules), 'rule')} not applicable"]
    lines += [f"{visible(rule.rule)}: {visible(rule.reason, 600)}" for rule in shown]
    return _marked("–", "dim", Text("\n".join(lines), "dim"))


def _collection(answer: Answer) -> RenderableType:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for heading in ("facts", "status", "source, or why not"):
        table.add_column(heading, overflow="fold")
    for entry in answer.document.collection:
        if isinstance(entry, Collected):
            digest = f"  sha256:{entry.sha256[:12]}…" if entry.sha256 else ""
            table.add_row(entry.name, entry.origin.value, visible(entry.source) + digest)
        else:
            table.add_row(entry.name, Text(entry.status, "yellow"), visible(entry.reason, 600))
    return _marked("·", "dim", table)


def _evidence(answer: Answer) -> RenderableType:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="dim")
    grid.add_column(overflow="fold")
    receipt, policy = answer.receipt, answer.judgement.policy
    if receipt:
        grid.add_row("decision", receipt.id)
        grid.add_row("recorded", f"entry {receipt.index} of {visible(receipt.origin)}")
        grid.add_row("signed by", receipt.keyid)
    else:
        grid.add_row("decision", Text("not recorded", "bold red"))
    grid.add_row(
        "artifact",
        f"sha256:{answer.document.subject.sha256}" if answer.document.subject.sha256 else "no digest",
    )
    grid.add_row(
        "judged by", f"policies {policy.revision[:19]}…  OPA {answer.judgement.opa_version or '(no answer)'}"
    )
    return Padding(grid, (0, 0, 0, 2))


def _marked(mark: str, colour: str, body: RenderableType) -> RenderableType:
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_column(width=3, justify="right")
    grid.add_column(overflow="fold")
    grid.add_row(Text(mark, colour), body)
    return grid


def _value(value: object) -> str:
    """A JSON value in a few characters."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return ", ".join(map(_value, value)) or "none"
    if isinstance(value, dict):
        return str(value.get("name", f"{len(value)} fields"))
    text = str(value)
    return f"{text[:12]}…" if _DIGEST.fullmatch(text) else text


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
