"""`mandate policy check`."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ...report.visible import visible
from .options import policies

if TYPE_CHECKING:
    from ...policy.problems import Problem

_FORMATS = ("text", "json", "sarif")


@click.command("check")
@click.option("--fix", is_flag=True, help="Mend first what is mechanical, and write Rego in OPA's format.")
@click.option("--no-tests", is_flag=True, help="Leave out the tests and their coverage.")
@click.option("--strict", is_flag=True, help="Count warnings as errors.")
@click.option(
    "--now",
    metavar="INSTANT",
    help="The day for which waivers are looked at, such as 2026-12-31T00:00:00Z.  [default: now]",
)
@click.option(
    "--output",
    type=click.Choice(_FORMATS),
    default="text",
    show_default=True,
    help="A report for people, one JSON document for programs, or SARIF 2.1.0 for code hosts.",
)
@policies
def command(
    fix: bool, no_tests: bool, strict: bool, now: str | None, output: str, folders: list[Path], opa: Path
) -> int:
    """Find what is wrong with the policies: each problem with its place and the fix.

    Compiles them with the input's schema, and holds them against OPA's format, Regal with Mandate's own
    rules, their tests, the coverage of these, and the tests that each rule must have. Exits 2 if there is an
    error.
    """
    from ...opa import places
    from ...policy import checking
    from ...policy.formatting import rewrite
    from ...policy.problems import Level

    instant = _instant(now)
    built = places.program("regal")
    found = built if built.is_file() else shutil.which("regal")
    regal = Path(found) if found else None
    if fix:
        rewrite(folders, opa=opa, regal=regal)
    problems = checking.check(folders, opa=opa, regal=regal, now=instant, tests=not no_tests, strict=strict)
    if output == "sarif":
        from .... import __version__
        from ...policy.sarif import sarif

        click.echo(json.dumps(sarif(problems, folders, version=__version__, around=Path.cwd()), indent=2))
    elif output == "json":
        click.echo(json.dumps(_document(problems), indent=2))
    else:
        _print(problems)
    return 2 if any(problem.level is Level.ERROR for problem in problems) else 0


def _instant(text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC)
    from ...errors import BadRequest
    from ...input.instants import instant

    try:
        return instant(text)
    except ValueError as error:
        raise BadRequest(
            f"{visible(text)} {error}", where="--now", next_step="Write it as 2026-12-31T00:00:00Z"
        ) from error


def _document(problems: Sequence[Problem]) -> dict[str, object]:
    """`problems`, errors first, and how many there are of each level."""
    return {
        "errors": _count(problems, "error"),
        "warnings": _count(problems, "warning"),
        "problems": [
            {
                "tool": problem.tool,
                "rule": problem.id,
                "level": problem.level.value,
                "where": problem.where,
                "file": problem.file,
                "line": problem.line,
                "what": problem.what,
                "next_step": problem.next_step,
            }
            for problem in problems
        ],
    }


def _count(problems: Sequence[Problem], level: str) -> int:
    return sum(problem.level == level for problem in problems)


def _print(problems: Sequence[Problem]) -> None:
    for problem in problems:
        mark, colour = ("✗", "red") if problem.level == "error" else ("!", "yellow")
        where = f" {visible(problem.where, 400)}:" if problem.where else ""
        click.secho(f"{mark}{where}", fg=colour, nl=False)
        click.echo(f" {visible(problem.what, 2000)} [{problem.id}]")
        click.echo(f"  → {visible(problem.next_step, 1000)}")
    errors, warnings = _count(problems, "error"), _count(problems, "warning")
    if not problems:
        click.secho("✓ no problems", fg="green")
    else:
        counts = [_counted(errors, "error"), _counted(warnings, "warning")]
        click.secho(", ".join(filter(None, counts)), fg="red" if errors else "yellow")


def _counted(number: int, name: str) -> str:
    return f"{number:,} {name}{'' if number == 1 else 's'}" if number else ""
