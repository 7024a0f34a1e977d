"""`mandate policy list`."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ...configuration import Configuration
from ...errors import BadRequest
from ...nearest import advice
from ...report.visible import visible
from .. import options
from .options import policies_and_settings

if TYPE_CHECKING:
    from rich.table import Table

    from ...policy.applying import Applying, Question
    from ...policy.overview import Rule, Threshold

_PRODUCTION = "production"
_PROMOTE = "promote"
_ITEMS = 3
"""How many items of a list are shown."""


@click.command("list")
@options.environment
@click.option("--tier", metavar="NAME", help="The model's risk tier.  [default: as mandate.yaml says]")
@click.option("--model", metavar="NAME", help="A registered model.")
@options.action
@click.option("--collection", metavar="NAME", help="Only the rules of one collection.")
@options.output
@policies_and_settings
def command(
    environment: str | None,
    tier: str | None,
    model: str | None,
    action: str | None,
    collection: str | None,
    output: str,
    configuration: Configuration | None,
    folders: list[Path],
    opa: Path,
) -> None:
    """Show which rules apply to what, with their thresholds.

    With an environment, tier, model or action, the policies themselves say which rules would judge, with
    which bounds, and why the others would not.
    """
    from .... import composition
    from ...policy import applying, overview
    from ...policy.build import compiled
    from ...policy.sources import read

    policies = compiled(read(folders), opa=opa)
    rules = overview.rules(policies)
    if collection is not None:
        known = {name for rule in rules for name in rule.about["collections"]}
        if (wanted := collection.removeprefix("@")) not in known:
            raise BadRequest(
                f"there is no collection {wanted!a}", where="--collection", next_step=advice(wanted, known)
            )
        rules = tuple(rule for rule in rules if wanted in rule.about["collections"])
    question = None
    if (environment, tier, model, action) != (None, None, None, None):
        question = applying.Question(
            action or _PROMOTE, environment or _PRODUCTION, model, tier or _tier(configuration, model)
        )
    now = composition.now()
    answer = applying.ask(policies, question, now, opa=opa) if question else None
    if output == "json":
        _print_json(rules, question, answer, now)
    else:
        _print(rules, question, answer, now)


def _tier(configuration: Configuration | None, model: str | None) -> str | None:
    settings = configuration.settings.models.get(model) if configuration and model else None
    return settings.risk_tier if settings else None


def _print_json(
    rules: Sequence[Rule], question: Question | None, answer: Applying | None, now: datetime
) -> None:
    asked = None
    if question is not None and answer is not None:
        asked = {
            "model": question.model,
            "action": question.action,
            "environment": question.environment,
            "risk_tier": answer.tier,
        }
    shown = {"question": asked, "rules": [_as_json(rule, answer, now) for rule in rules]}
    click.echo(json.dumps(shown, indent=2))


def _as_json(rule: Rule, answer: Applying | None, now: datetime) -> dict[str, Any]:
    about = rule.about
    shown = {
        "rule": rule.id,
        **{key: about[key] for key in ("title", "severity", "waivable", "actions", "environments")},
        **{key: about[key] for key in ("collections", "effective_on", "defined_at")},
        "announced": _is_announced(rule, now),
        "root": rule.root,
        "replaces": rule.replaces,
        "replaced_by": rule.replaced_by,
        "thresholds": {each.name: _values(each, answer) for each in rule.thresholds},
    }
    if answer is not None:
        shown |= {"judges": rule.id in answer.rules, "reasons": [*answer.reasons.get(rule.id, ())]}
    return shown


def _values(threshold: Threshold, answer: Applying | None) -> Any:
    """The one value that holds, or all of them."""
    if answer is not None:
        return answer.thresholds[threshold.name]
    return [
        {"layer": list(value.layer), "value": value.value, "set_at": value.set_at}
        for value in threshold.values
    ]


def _print(rules: Sequence[Rule], question: Question | None, answer: Applying | None, now: datetime) -> None:
    from rich.text import Text

    from ...report.terminal import console

    shown = console(sys.stdout)
    with shown.capture() as capture:
        if question is None or answer is None:
            shown.print(_table(rules, None, now))
        else:
            judging = [rule for rule in rules if rule.id in answer.rules]
            others = [rule for rule in rules if rule.id not in answer.rules]
            shown.print(Text(_asked(question, answer), "bold"))
            shown.print(Text(f"\n{_counted(len(judging))} would judge:\n"))
            shown.print(_table(judging, answer, now))
            if others:
                shown.print(Text(f"\n{_counted(len(others))} would not:\n"))
                shown.print(_reasons(others, answer))
    click.echo("".join(f"{line.rstrip()}\n" for line in capture.get().splitlines()), nl=False)


def _counted(number: int) -> str:
    return f"{number} rule{'' if number == 1 else 's'}"


def _asked(question: Question, answer: Applying) -> str:
    tier = answer.tier if question.tier else f"{answer.tier}, the highest, for none is named"
    name = [visible(question.model)] if question.model else []
    return " · ".join([*name, question.action, question.environment, f"risk tier {tier}"])


def _table(rules: Sequence[Rule], answer: Applying | None, now: datetime) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 2, 1, 0), pad_edge=False)
    for heading, widest in (("rule", None), ("severity", 9), ("judges", 21), ("thresholds", None)):
        table.add_column(heading, max_width=widest, overflow="fold", header_style="dim")
    for rule in rules:
        name = Text(rule.id, "bold")
        for note in _notes(rule, answer, now):
            name.append(f"\n{note}", "not bold dim")
        waivable = "" if rule.about["waivable"] else "\nnot waivable"
        table.add_row(
            name,
            Text(f"{rule.about['severity']}").append(waivable.replace(" ", "\n"), "dim"),
            f"{', '.join(rule.about['actions'])}\n{_where(rule)}",
            "\n".join(_shown(each, rule, answer) for each in rule.thresholds),
        )
    return table


def _where(rule: Rule) -> str:
    if rule.is_everywhere:
        return "everywhere"
    return f"in {', '.join(map(visible, rule.about['environments']))}"


def _notes(rule: Rule, answer: Applying | None, now: datetime) -> list[str]:
    notes = [f"of {rule.root}"]
    if _is_announced(rule, now):
        notes.append(f"warns until {rule.about['effective_on'].removesuffix('T00:00:00Z')}")
    if rule.replaces:
        notes.append(f"replaces {rule.replaces}")
    if rule.replaced_by:
        notes.append(f"replaced by {rule.replaced_by}")
    return [*notes, *(answer.reasons.get(rule.id, ()) if answer is not None else ())]


def _is_announced(rule: Rule, now: datetime) -> bool:
    return datetime.fromisoformat(rule.about["effective_on"].replace("Z", "+00:00")) > now


def _shown(threshold: Threshold, rule: Rule, answer: Applying | None) -> str:
    category, _, name = threshold.name.partition(".")
    name = name if category == rule.id.partition(".")[0] else threshold.name
    if answer is not None:
        return f"{visible(name)} {_value(answer.thresholds[threshold.name]['value'])}"
    default, *others = threshold.values
    more = "".join(f"; {visible(value.place)} {_value(value.value)}" for value in others)
    return f"{visible(name)} {_value(default.value)}{more}"


def _value(value: Any) -> str:
    if isinstance(value, list):
        items = ", ".join(visible(str(item)) for item in value[:_ITEMS])
        more = f" and {len(value) - _ITEMS} more" if len(value) > _ITEMS else ""
        return f"{items}{more}" if items else "none"
    return visible(value) if isinstance(value, str) else json.dumps(value)


def _reasons(rules: Sequence[Rule], answer: Applying) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, show_header=False)
    table.add_column(overflow="fold")
    table.add_column(overflow="fold")
    for rule in rules:
        table.add_row(
            Text(rule.id, "bold"), visible(" ".join(answer.reasons.get(rule.id, ("Nobody says why.",))), 2000)
        )
    return table
