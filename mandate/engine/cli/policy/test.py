"""`mandate policy test`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ...report.visible import visible
from .. import options
from .options import policies

if TYPE_CHECKING:
    from ...policy.testing import Case, TestReport


@click.command("test")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option(
    "--coverage",
    "demanded",
    type=click.FloatRange(0, 100),
    default=100.0,
    show_default=True,
    help="Percent of Rego that tests must run, where all tests are run.",
)
@options.output
@policies
def command(names: tuple[str, ...], demanded: float, output: str, folders: list[Path], opa: Path) -> int:
    """Run the policies' own tests on the real OPA, and show of each that fails what it expected and got.

    NAME selects the tests of a rule or category (fairness, fairness.group_size), of another package (main,
    lib.check), or one test by the name that is printed. Exits 1 if a test fails, or if the tests run too
    little of the policies.
    """
    from ...policy.testing import run_tests

    report = run_tests(folders, opa=opa, only=names)
    enough = report.coverage is None or report.coverage >= demanded
    if output == "json":
        _print_json(report)
    else:
        _print_report(report, demanded)
    return 0 if report.passed and enough else 1


def _print_json(report: TestReport) -> None:
    """`cases`, each with what it `expected` and `got` where it compared these and they are defined."""
    uncovered = {file: list(lines) for file, lines in report.uncovered.items()}
    document = {
        "cases": [_document(case) for case in report.cases],
        "coverage": report.coverage,
        "uncovered": uncovered,
    }
    click.echo(json.dumps(document, indent=2))


def _document(case: Case) -> dict[str, Any]:
    document: dict[str, Any] = {"name": case.name, "where": case.where, "ended": case.ended.value}
    if (compared := case.compared) is not None:
        document["expression"] = compared.expression
        sides = {"expected": compared.expected, "got": compared.got}
        document |= {side: value.json for side, value in sides.items() if value.is_defined}
    if case.output:
        document["output"] = case.output
    return document


def _print_report(report: TestReport, demanded: float) -> None:
    from .side_by_side import side_by_side

    for case in report.failures:
        click.secho(f"✗ {visible(case.where)} {visible(case.name)} {case.ended}", fg="red")
        if case.compared is not None:
            for line in side_by_side(case.compared):
                click.echo(f"    {line}")
        for line in case.output.splitlines():
            click.echo(f"    {visible(line.expandtabs(4))}")
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
