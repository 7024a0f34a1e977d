"""`mandate policy new`."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ...configuration import Configuration
from ...report.visible import visible
from .. import options
from .options import organisation, own_root

if TYPE_CHECKING:
    from ...policy.authoring import Written
    from ...policy.scaffold import NewRule

_NOTICE = timedelta(days=30)
"""How long a new rule only warns, unless somebody sets another day."""

_COMPARISONS = ["at-most", "at-least", "one-of", "includes"]
_SEVERITIES = ["low", "medium", "high", "critical"]


@click.command("new")
@click.argument("name", metavar="CATEGORY/RULE")
@click.option("--title", metavar="TEXT", help="What must hold, in one line.")
@click.option("--collector", metavar="NAME", help="Whose facts it judges.  [default: as the category]")
@click.option(
    "--comparison",
    type=click.Choice(_COMPARISONS),
    default="at-most",
    show_default=True,
    help="How a fact is held against the threshold.",
)
@click.option(
    "--threshold",
    metavar="VALUE",
    help="A number, or texts as one,two.  [default: the strictest]",
)
@click.option("--severity", type=click.Choice(_SEVERITIES), default="medium", show_default=True)
@click.option(
    "--effective-on",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DATE",
    help="From when it denies; until then it warns.  [default: in 30 days]",
)
@click.option("--replaces", metavar="RULE", help="The rule, such as fairness.group_size, that it replaces.")
@options.output
@organisation
def command(
    name: str,
    title: str | None,
    collector: str | None,
    comparison: str,
    threshold: str | None,
    severity: str,
    effective_on: datetime | None,
    replaces: str | None,
    output: str,
    configuration: Configuration,
    folders: list[Path],
    opa: Path,
) -> None:
    """Write the folder of a new rule: Rego, threshold and tests to fill in.

    It goes into your last folder of policies. All of it compiles; what says TODO is to be filled in, and
    until then the rule denies and its tests fail.
    """
    from ...policy import authoring, editors, scaffold
    from ...policy.scaffold import Comparison, Name, NewRule

    parsed = Name.parse(name)
    kind = Comparison(comparison)
    day = effective_on or datetime.now(UTC) + _NOTICE
    new = NewRule(
        name=parsed,
        collector=scaffold.collector(parsed, collector),
        comparison=kind,
        threshold=scaffold.threshold(kind, threshold),
        severity=severity,
        effective_on=f"{day:%Y-%m-%d}T00:00:00Z",
        title=scaffold.title(title),
        replaces=replaces,
    )
    root = folders[own_root(configuration)]
    heading = editors.line(root / parsed.threshold_file, configuration.state) + "\n"
    written = authoring.write(new, folders, root, opa=opa, heading=heading)
    if output == "json":
        _print_json(new, written)
    else:
        _print(new, written)


def _print(new: NewRule, written: Written) -> None:
    wrote = {
        f"wrote {_here(written.rule)}": "the rule",
        f"wrote {_here(written.test)}": "its tests",
        f"added {new.name.rule} to {_here(written.thresholds)}": "its threshold",
    }
    width = max(map(len, wrote))
    for what, purpose in wrote.items():
        click.echo(f"{what:<{width}}  {purpose}")
    click.echo(f"\n{new.name.id} warns until {new.effective_on}, and denies from then on.")
    click.echo("Next: fill in what says TODO, until these two are content:")
    click.echo("  mandate policy check   names what is left, with file and line")
    click.echo("  mandate policy test    fails until the rule judges what its tests say")


def _print_json(new: NewRule, written: Written) -> None:
    shown = {
        "rule": new.name.id,
        "effective_on": new.effective_on,
        "files": {
            "rule": str(written.rule),
            "test": str(written.test),
            "thresholds": str(written.thresholds),
        },
        "threshold": {"name": new.name.id, "set_at": written.set_at},
    }
    click.echo(json.dumps(shown, indent=2))


def _here(path: Path) -> str:
    """The path from here, where that is shorter."""
    here = Path.cwd()
    return visible(str(path.relative_to(here) if path.is_relative_to(here) else path))
