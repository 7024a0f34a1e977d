"""`mandate policy test`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ...report.visible import visible
from .. import options
from .options import policies

if TYPE_CHECKING:
    from ...policy.testing import TestReport


@click.command("test")
@click.option(
    "--coverage",
    "demanded",
    type=click.FloatRange(0, 100),
    default=100.0,
    show_default=True,
    help="Percent of Rego that tests must run.",
)
@options.output
@policies
def command(demanded: float, output: str, folders: list[Path], opa: Path) -> int:
    """Run the policies' own tests on the real OPA.

    Exits 1 if a test fails, or if the tests run too little of the policies.
    """
    from ...policy.testing import run_tests

    report = run_tests(folders, opa=opa)
    enough = report.coverage is None or report.coverage >= demanded
    if output == "json":
        _print_json(report)
    else:
        _print_report(report, demanded)
    return 0 if report.passed and enough else 1


def _print_json(report: TestReport) -> None:
    cases = [
        {"name": case.name, "where": case.where, "ended": case.ended.value, "output": case.output}
        for case in report.cases
    ]
    uncovered = {file: list(lines) for file, lines in report.uncovered.items()}
    click.echo(json.dumps({"cases": cases, "coverage": report.coverage, "uncovered": uncovered}, indent=2))


def _print_report(report: TestReport, demanded: float) -> None:
    for case in report.failures:
        click.secho(f"✗ {visible(case.where)} {visible(case.name)} {case.ended}", fg="red")
        for line in case.output.splitlines():
            click.echo(f"    {visible(line)}")
    for file, lines in report.uncovered.items():
        click.secho(f"✗ {visible(file)}: no test runs line {', '.join(map(str, lines))}", fg="yellow")
    passed = len(report.cases) - len(report.failures)
    summary = f"{passed:,} passed, {len(report.failures):,} failed"
    covered = (
        f", {report.coverage:.1f} % of the Rego covered ({demanded:g} % wanted)"
        if report.coverage is not None
        else ""
    )
    click.secho(f"{summary}{covered}", fg="green" if report.passed else "red")
