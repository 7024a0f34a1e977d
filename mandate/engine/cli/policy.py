"""`mandate policy`: tests and checks the policies."""

from __future__ import annotations

import functools
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ..configuration import FILE_NAME, find, load
from ..errors import BadConfiguration, OpaUnavailable
from ..report.visible import visible
from . import options

if TYPE_CHECKING:
    from ..policy.testing import TestReport

_Command = TypeVar("_Command", bound=Callable[..., Any])


@click.group("policy")
def command() -> None:
    """Test and check the policies."""


def _policies(wrapped: _Command) -> _Command:
    """Passes the `folders` with policies and the `opa` to ask about them: those of the nearest mandate.yaml;
    where there is none, the library alone and the OPA of this machine."""

    @click.option(
        "--config",
        "file",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        envvar="MANDATE_CONFIG",
        help=f"{FILE_NAME} to use.  [default: the nearest one; without one, the library alone]",
    )
    @functools.wraps(wrapped)
    def with_policies(*args: Any, file: Path | None, **kwargs: Any) -> Any:
        from ... import composition, share
        from ..opa.locate import find_opa

        file = file or _nearest()
        configuration = load(file, environment=os.environ) if file else None
        folders = composition.policy_folders(configuration) if configuration else [share.policies()]
        try:
            opa = composition.opa_program(configuration) if configuration else find_opa()
        except OpaUnavailable as error:  # nothing is judged here, so nothing is undecided
            raise BadConfiguration(error.what, where=error.where, next_step=error.next_step) from error
        return wrapped(*args, folders=folders, opa=opa, **kwargs)

    return with_policies  # type: ignore[return-value]  # the decorators add an option, which types cannot say


def _nearest() -> Path | None:
    try:
        return find(Path.cwd())
    except BadConfiguration:
        return None


@command.command()
@click.option("--fix", is_flag=True, help="Rewrite Rego in OPA's format first.")
@options.output
@_policies
def check(fix: bool, output: str, folders: list[Path], opa: Path) -> int:
    """Compile the policies and hold them against their conventions: one line a problem, with the fix.

    OPA's compiler with the input's schema, its formatter, the thresholds, and Regal with Mandate's own rules
    where it is installed (`mandate opa install --regal`).
    """
    from ..opa import places
    from ..policy import checking

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


@command.command()
@click.option(
    "--coverage",
    "demanded",
    type=click.FloatRange(0, 100),
    default=100.0,
    show_default=True,
    help="Percent of Rego that tests must run.",
)
@options.output
@_policies
def test(demanded: float, output: str, folders: list[Path], opa: Path) -> int:
    """Run the policies' own tests on the real OPA.

    Exits 1 if a test fails, or if the tests run too little of the policies.
    """
    from ..policy.testing import run_tests

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
