"""`mandate policy check`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import click

from ...report.visible import visible
from .. import options
from .options import policies


@click.command("check")
@click.option("--fix", is_flag=True, help="Rewrite Rego in OPA's format first.")
@options.output
@policies
def command(fix: bool, output: str, folders: list[Path], opa: Path) -> int:
    """Compile the policies and hold them against their conventions: one line a problem, with the fix.

    OPA's compiler with the input's schema, its formatter, the thresholds, and Regal with Mandate's own rules
    where it is installed (`mandate opa install --regal`).
    """
    from ...opa import places
    from ...policy import checking

    built = places.program("regal")
    regal = built if built.is_file() else shutil.which("regal")
    if regal is None:
        click.echo(
            "regal is not installed: its rules are not checked. Run `mandate opa install --regal`", err=True
        )
    if fix:
        checking.rewrite(folders, opa=opa)
    problems = checking.check(folders, opa=opa, regal=Path(regal) if regal else None)
    if output == "json":
        shown = [
            {"tool": p.tool, "where": p.where, "what": p.what, "next_step": p.next_step} for p in problems
        ]
        click.echo(json.dumps({"problems": shown}, indent=2))
    else:
        for problem in problems:
            where = f"{visible(problem.where)}: " if problem.where else ""
            click.secho(f"✗ {where}", fg="red", nl=False)
            click.echo(f"{visible(problem.what, 2000)} [{problem.tool}]")
            if problem.next_step:
                click.echo(f"  → {visible(problem.next_step)}")
        if not problems:
            click.secho("✓ no problems", fg="green")
    return 1 if problems else 0
