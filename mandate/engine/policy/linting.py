"""Regal: its rules and Mandate's own, which are in the library's `checks/`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..errors import BadPolicy
from .command import Completed, run
from .problems import Level, Problem
from .sources import Sources

_CONFIGURATION = ".regal/config.yaml"
_CHECKS = "checks"
_FOUND = (0, 2, 3)
"""Regal's exit statuses where it ran: nothing found, warnings, errors."""
_FAILED_TEST = re.compile(r"^(?P<file>\S+\.rego):\ndata\.(?P<test>\S+): (?:FAIL|ERROR)", re.MULTILINE)
_FIX = " → "
"""Between what is wrong and what to do, in the descriptions of Mandate's own rules."""


def lint(tree: Path, sources: Sources, library: Path, *, regal: Path) -> Iterator[Problem]:
    """What Regal finds in the merged tree."""
    checks = (library / _CHECKS).absolute()
    rules = ["--rules", str(checks)] if checks.is_dir() else []
    ended = run(regal, ["lint", "--format", "json", *_configuration(library), *rules, "."], folder=tree)
    for found in _violations(ended):
        yield _problem(found, sources.label(_file(found)))


def mend(root: Path, folder: str, library: Path, *, regal: Path) -> None:
    """Let Regal rewrite what it can, such as `x = 1`. It moves no file: where a package is, its author says.

    What it cannot parse it leaves alone: the compiler says more of that.
    """
    options = ["--force", *_configuration(library), "--disable", "directory-package-mismatch"]
    run(regal, ["fix", *options, folder], folder=root)


def lint_checks(library: Path, *, regal: Path) -> Iterator[Problem]:
    """What Regal finds in Mandate's own rules for it."""
    if (library / _CHECKS).is_dir():
        ended = run(regal, ["lint", "--format", "json", *_configuration(library), _CHECKS], folder=library)
        for found in _violations(ended):
            yield _problem(found, _file(found))


def run_checks_tests(library: Path, *, regal: Path) -> Iterator[Problem]:
    """The tests of Mandate's own rules that fail."""
    if not (library / _CHECKS).is_dir():
        return
    ended = run(regal, ["test", _CHECKS], folder=library)
    if ended.status == 0:
        return
    failed = list(_FAILED_TEST.finditer(ended.stdout.decode("utf-8", "replace")))
    for each in failed:
        yield _failure(each["file"], f"the test {each['test']} failed")
    if not failed:
        yield _failure(_CHECKS, " ".join(ended.complaint.split()))


def _failure(where: str, what: str) -> Problem:
    return Problem(
        "regal-test", "failed", Level.ERROR, where, what, f"Run `regal test {_CHECKS}` in the library"
    )


def _configuration(library: Path) -> list[str]:
    configuration = (library / _CONFIGURATION).absolute()
    return ["--config-file", str(configuration)] if configuration.is_file() else []


def _violations(ended: Completed) -> list[dict[str, Any]]:
    if ended.status not in _FOUND:
        raise BadPolicy(
            f"regal could not run: {' '.join(ended.complaint.split())}",
            next_step="Correct .regal/config.yaml",
        )
    violations: list[dict[str, Any]] = json.loads(ended.stdout)["violations"]
    return violations


def _file(violation: dict[str, Any]) -> str:
    return str(violation["location"].get("file", "")).removeprefix("./")


def _problem(violation: dict[str, Any], file: str) -> Problem:
    what, _, next_step = str(violation["description"]).partition(_FIX)
    if violation["category"] != "mandate" or not next_step:
        what, next_step = str(violation["description"]), _documentation(violation)
    next_step = f"{next_step[:1].upper()}{next_step[1:]}"
    return Problem(
        "regal",
        f"{violation['category']}/{violation['title']}",
        Level.WARNING if violation.get("level") == "warning" else Level.ERROR,
        f"{file}:{violation['location'].get('row', 1)}" if file else "",
        what,
        next_step,
    )


def _documentation(violation: dict[str, Any]) -> str:
    pages = [each["ref"] for each in violation.get("related_resources") or () if each.get("ref")]
    return f"See {pages[0]}" if pages else "Correct it"
