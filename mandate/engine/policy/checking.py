"""Holds policies against the compiler, OPA's formatter and Regal: what `make lint` asks of Rego."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import BadPolicy
from .build import build, check_rego
from .command import Completed, run
from .complaints import refusal
from .sources import Kind, Sources, prefix, read
from .tree import merged

_REGO_FOLDERS = ("mandate", "checks")
_REGAL_CONFIGURATION = ".regal/config.yaml"
_REGAL_FOUND = (0, 2, 3)
"""Regal's exit statuses where it ran: nothing found, warnings, errors."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to correct."""

    tool: str
    """`compiler`, `opa check`, `opa fmt`, `opa test` or `regal`."""
    where: str
    what: str
    next_step: str = ""


def check(roots: Sequence[Path], *, opa: Path, regal: Path | None) -> tuple[Problem, ...]:
    """All that is wrong with the policies of these roots, the library first; empty if nothing is.

    Without `regal` only OPA and the compiler are asked.
    """
    sources = read(roots)
    problems = [*_compiler(sources, opa), *_schema(sources, roots[0], opa)]
    for number, root in enumerate(roots):
        problems += _format(number, root, opa)
    if regal is not None:
        problems += _regal(sources, roots[0], regal)
    return tuple(problems)


def rewrite(roots: Sequence[Path], *, opa: Path) -> None:
    """Write the Rego of all roots in OPA's format. `BadPolicy` for what cannot be parsed."""
    for root in roots:
        for folder in _folders(root):
            ended = run(opa, ["fmt", "--write", folder], folder=root)
            if ended.status != 0:
                raise refusal(ended, Sources(()))


def _folders(root: Path) -> list[str]:
    return [folder for folder in _REGO_FOLDERS if (root / folder).is_dir()]


def _compiler(sources: Sources, opa: Path) -> list[Problem]:
    try:
        build(sources, opa=opa)
    except BadPolicy as error:
        return [_problem("compiler", error)]
    return []


def _schema(sources: Sources, library: Path, opa: Path) -> list[Problem]:
    """Tests too, and references to fields that the input does not have."""
    folder = library / "schemas"
    # OPA wants the folder where METADATA names the schema; otherwise the file, which is then for all of them.
    named = any(b"schema.input" in source.content for source in sources.of(Kind.REGO))
    schemas = folder if named else folder / "input.json"
    try:
        with merged(sources, Kind.REGO, Kind.TEST) as tree:
            check_rego(tree, sources, opa=opa, schemas=schemas if schemas.exists() else None)
    except BadPolicy as error:
        return [_problem("opa check", error)]
    return []


def _problem(tool: str, error: BadPolicy) -> Problem:
    return Problem(tool, error.where, error.what, error.next_step)


def _format(number: int, root: Path, opa: Path) -> list[Problem]:
    problems = []
    for folder in _folders(root):
        ended = run(opa, ["fmt", "--list", folder], folder=root)
        if ended.status != 0:
            problems.append(_problem("opa fmt", refusal(ended, Sources(()))))
            continue
        problems += [
            Problem(
                "opa fmt",
                f"{prefix(number)}{file}",
                "it is not in OPA's format",
                "Run `mandate policy check --fix`",
            )
            for file in ended.stdout.decode().splitlines()
        ]
    return problems


def _regal(sources: Sources, library: Path, regal: Path) -> list[Problem]:
    configuration = (library / _REGAL_CONFIGURATION).absolute()
    checks = (library / "checks").absolute()
    options = ["--config-file", str(configuration)] if configuration.is_file() else []
    rules = ["--rules", str(checks)] if checks.is_dir() else []
    with merged(sources, Kind.REGO, Kind.TEST) as tree:
        ended = run(regal, ["lint", "--format", "json", *options, *rules, "."], folder=tree)
        problems = [_violation(found, sources.label(_file(found))) for found in _violations(ended)]
    if checks.is_dir():
        ended = run(regal, ["lint", "--format", "json", *options, "checks"], folder=library)
        problems += [_violation(found, _file(found)) for found in _violations(ended)]
        problems += _regal_tests(regal, library)
    return problems


def _violations(ended: Completed) -> list[dict[str, Any]]:
    if ended.status not in _REGAL_FOUND:
        raise BadPolicy(f"regal could not run: {ended.complaint}", next_step="Correct .regal/config.yaml")
    violations: list[dict[str, Any]] = json.loads(ended.stdout)["violations"]
    return sorted(
        violations, key=lambda found: (_file(found), found["location"].get("row", 1), found["title"])
    )


def _file(violation: dict[str, Any]) -> str:
    return str(violation["location"].get("file", "")).removeprefix("./")


def _violation(violation: dict[str, Any], file: str) -> Problem:
    where = f"{file}:{violation['location'].get('row', 1)}" if file else ""
    rule = f"{violation['category']}/{violation['title']}"
    return Problem("regal", where, f"{violation['description']} ({rule})")


def _regal_tests(regal: Path, library: Path) -> list[Problem]:
    ended = run(regal, ["test", "checks"], folder=library)
    return [] if ended.status == 0 else [Problem("regal test", "checks", ended.complaint)]
