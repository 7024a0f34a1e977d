"""`mandate policy show`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ...errors import BadRequest
from ...nearest import advice
from ...report.visible import visible
from .. import options
from .options import policies

if TYPE_CHECKING:
    from rich.console import RenderableType

    from ...policy.overview import Rule, Tests, Threshold

_MOST = 2000


@click.command("show")
@click.argument("rule")
@options.output
@policies
def command(rule: str, output: str, folders: list[Path], opa: Path) -> None:
    """Show one rule: what it asks, its thresholds and where each was set, waivers and tests."""
    from ...policy import overview
    from ...policy.build import compiled
    from ...policy.sources import read

    everything = compiled(read(folders), opa=opa)
    rules = {each.id: each for each in overview.rules(everything)}
    wanted = rule.replace("/", ".", 1)
    if wanted not in rules:
        raise BadRequest(f"there is no rule {wanted[:200]!a}", where="RULE", next_step=advice(wanted, rules))
    found, waivers = rules[wanted], overview.waivers(everything, wanted)
    tests = overview.tests(everything, wanted, opa=opa)
    if output == "json":
        click.echo(json.dumps(_as_json(found, waivers, tests), indent=2))
    else:
        _print(found, waivers, tests)


def _as_json(rule: Rule, waivers: Sequence[Mapping[str, Any]], tests: Tests) -> dict[str, Any]:
    return {
        "rule": rule.id,
        "root": rule.root,
        **rule.about,
        "replaces": rule.about.get("replaces"),
        "replaced_by": rule.replaced_by,
        "thresholds": [
            {
                "name": threshold.name,
                "values": [
                    {
                        "layer": list(value.layer),
                        "value": value.value,
                        "set_at": value.set_at,
                        "comment": value.comment,
                    }
                    for value in threshold.values
                ],
            }
            for threshold in rule.thresholds
        ],
        "waivers": waivers,
        "tests": {"files": list(tests.files), "tests": tests.tests, "cases": tests.cases},
    }


def _print(rule: Rule, waivers: Sequence[Mapping[str, Any]], tests: Tests) -> None:
    from rich.console import Group

    from ...report.terminal import console

    shown = console(sys.stdout)
    with shown.capture() as capture:
        shown.print(Group(*_parts(rule, waivers, tests)))
    click.echo("".join(f"{line.rstrip()}\n" for line in capture.get().splitlines()), nl=False)


def _parts(rule: Rule, waivers: Sequence[Mapping[str, Any]], tests: Tests) -> Iterator[RenderableType]:
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    yield Text(rule.id, "bold").append(f"  {visible(rule.about['title'], _MOST)}", "not bold")
    yield Text()
    yield Padding(Text(_paragraphs(rule.about["description"])), (0, 0, 0, 2))
    yield Text()
    facts = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, show_header=False)
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column(overflow="fold")
    for name, text in _facts(rule, tests):
        facts.add_row(name, visible(text, _MOST))
    yield Padding(facts, (0, 0, 0, 2))
    for threshold in rule.thresholds:
        yield Text()
        yield Text(f"  {visible(threshold.name)}", "bold")
        yield Padding(_threshold(threshold), (0, 0, 0, 4))
    if waivers:
        yield Text()
        yield Text("  waivers", "bold")
        for waiver in waivers:
            yield Padding(_waiver(waiver), (0, 0, 0, 4))


def _facts(rule: Rule, tests: Tests) -> Iterator[tuple[str, str]]:
    about = rule.about
    yield "judges", f"{', '.join(about['actions'])}, {_where(rule)}"
    yield "severity", f"{about['severity']}, {'can be waived' if about['waivable'] else 'cannot be waived'}"
    yield "when it fails", about["failure_msg"]
    yield "what to do", about["solution"]
    yield "controls", "; ".join(about["controls"]) or "none"
    yield "collections", ", ".join(about["collections"]) or "none"
    yield "facts of", ", ".join(about["depends_on"]) or "nobody"
    yield "denies from", about["effective_on"]
    if "replaces" in about:
        yield "replaces", f"{about['replaces']['rule']}: {about['replaces']['reason']}"
    if rule.replaced_by:
        yield "replaced by", rule.replaced_by
    yield "defined at", f"{about['defined_at']}, in {rule.root}"
    yield "tests", f"{tests.tests}, with {tests.cases} cases" if tests.files else "none"
    for file in tests.files:
        yield "", file


def _where(rule: Rule) -> str:
    return "everywhere" if rule.is_everywhere else f"in {', '.join(rule.about['environments'])}"


def _threshold(threshold: Threshold) -> RenderableType:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    parts: list[RenderableType] = []
    last = ""
    for value in threshold.values:
        if value.comment and value.comment != last:
            parts.append(Text(_paragraphs(value.comment), "dim"))
        last = value.comment
        row = Table.grid(padding=(0, 2, 0, 0))
        row.add_column(overflow="fold")
        row.add_column(style="dim", overflow="fold")
        row.add_row(f"{visible(value.place)}: {_value(value.value)}", visible(value.set_at))
        parts.append(row)
    return Group(*parts)


def _value(value: Any) -> str:
    if isinstance(value, list):
        return visible(", ".join(map(str, value)), _MOST) or "none"
    return visible(value, _MOST) if isinstance(value, str) else json.dumps(value)


def _waiver(waiver: Mapping[str, Any]) -> RenderableType:
    from rich.text import Text

    subject = waiver["subject"]
    whom = f"{subject['name']} version {subject['version']}" if "name" in subject else subject["sha256"]
    lines = [
        f"{waiver['rule']} for {whom}, from {waiver['effective_on']} until {waiver['expires']}",
        f"  {waiver['approver']}, {waiver['reference']}: {waiver['reason']}",
        f"  {waiver['id']}",
    ]
    return Text("\n".join(visible(line, _MOST) for line in lines))


def _paragraphs(text: str) -> str:
    """Without the line breaks of the file, which are not those of the terminal."""
    paragraphs = (" ".join(part.split()) for part in text.split("\n\n"))
    return "\n\n".join(visible(part, _MOST) for part in paragraphs if part)
