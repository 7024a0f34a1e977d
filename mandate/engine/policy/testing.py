"""Runs the policies' own tests.

The tests of a root see that root and those before it: the library's tests are about the library's thresholds,
whatever the organisation sets after it.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from .build import check_rego, compiled, restrictions
from .command import Completed, run
from .complaints import accepted
from .sources import Kind, Sources, read
from .tree import merged, write_data

_FAILED = 2
"""OPA's exit status where tests ran and some did not pass."""
_EXPLAINED = 20
_TIMEOUT = "60s"
"""Of one test. OPA's own, 5 s, is too little for tests that change the whole input, on a busy machine."""
_RULE = re.compile(r"^-{20,}$", re.MULTILINE)


class Ended(StrEnum):
    """How a test ended."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Case:
    """One test, or one named case of a test."""

    name: str
    """`mandate.main_test.test_allow`, with ` / case` where the test has cases."""
    where: str
    """File and line."""
    ended: Ended
    output: str = ""
    """Why it failed: the expression and its values, or the error."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """Which lines of one file tests ran."""

    file: str
    covered: int
    uncovered: tuple[int, ...]
    """Line numbers, from 1."""


@dataclass(frozen=True, slots=True)
class TestReport:
    """What the tests of all roots found."""

    __test__ = False  # for pytest, which takes the name for a test

    cases: tuple[Case, ...]
    files: tuple[Coverage, ...]
    """By file; empty if a test failed, for then OPA measures no coverage."""

    @property
    def passed(self) -> bool:
        """Whether there are tests, all of them passed, and none was skipped."""
        return bool(self.cases) and all(case.ended is Ended.PASSED for case in self.cases)

    @property
    def failures(self) -> tuple[Case, ...]:
        """What failed or was skipped."""
        return tuple(case for case in self.cases if case.ended is not Ended.PASSED)

    @property
    def coverage(self) -> float | None:
        """Percent of the lines that can run; `None` where nothing was measured."""
        covered = sum(file.covered for file in self.files)
        uncovered = sum(len(file.uncovered) for file in self.files)
        return 100 * covered / (covered + uncovered) if covered + uncovered else None

    @property
    def uncovered(self) -> Mapping[str, tuple[int, ...]]:
        """The lines that no test ran, by file."""
        return {file.file: file.uncovered for file in self.files if file.uncovered}


def run_tests(roots: Sequence[Path], *, opa: Path) -> TestReport:
    """Test the policies of all roots, the library first. `BadPolicy` if they do not compile."""
    everything = read(roots)
    cases: list[Case] = []
    files: list[Coverage] = []
    for root in range(len(roots)):
        if any(source.root == root and source.path.endswith("_test.rego") for source in everything.files):
            seen = _up_to(root, everything)
            found, covered = _test(seen, root, opa)
            cases += found
            files += covered
    failed = any(case.ended is Ended.FAILED for case in cases)
    cases.sort(key=_place)
    return TestReport(tuple(cases), () if failed else tuple(files))


def _place(case: Case) -> tuple[str, int, str]:
    file, _, line = case.where.rpartition(":")
    return file, int(line), case.name


def _up_to(root: int, sources: Sources) -> Sources:
    """The policies of this root and those before it, with this root's tests and all that tests share."""
    return Sources(
        tuple(
            source
            for source in sources.files
            if source.root == root or (source.root < root and not source.path.endswith("_test.rego"))
        )
    )


def _test(sources: Sources, root: int, opa: Path) -> tuple[list[Case], list[Coverage]]:
    data = compiled(sources, opa=opa).data
    with merged(sources, Kind.REGO, Kind.TEST) as tree:
        write_data(tree, data)
        check_rego(tree, sources, opa=opa)
        ended = accepted(_opa_test(opa, tree), sources, _FAILED)
        cases = [case for result in json.loads(ended.stdout) or () for case in _cases(result, sources)]
        explained = {name: _explanation(name, opa, tree) for name in _unexplained(cases)}
        cases = [
            replace(case, output=explained[_test_name(case)])
            if case.ended is Ended.FAILED and _test_name(case) in explained
            else case
            for case in cases
        ]
        if any(case.ended is Ended.FAILED for case in cases):
            return cases, []
        return cases, _coverage(sources, root, opa, tree)


def _opa_test(opa: Path, tree: Path, *options: str) -> Completed:
    arguments = ["test", "--bundle", "--format", "json", "--timeout", _TIMEOUT, *restrictions(), *options]
    return run(opa, [*arguments, "."], folder=tree)


def _cases(result: Mapping[str, Any], sources: Sources) -> list[Case]:
    location = result["location"]
    where = f"{sources.label(location['file'].removeprefix('./'))}:{location['row']}"
    name = f"{result['package'].removeprefix('data.')}.{result['name']}"
    error = result.get("error") or {}
    below = result.get("sub_results")
    if below and not error:
        return [Case(f"{name} / {path}", where, ended) for path, ended in sorted(_ended_below(below))]
    return [Case(name, where, _ended(result), str(error.get("message", "")))]


def _ended_below(results: Mapping[str, Any], path: str = "") -> list[tuple[str, Ended]]:
    found: list[tuple[str, Ended]] = []
    for key, result in results.items():
        name = f"{path}{key}"
        below = result.get("sub_results")
        found += _ended_below(below, f"{name} / ") if below else [(name, _ended(result))]
    return found


def _ended(result: Mapping[str, Any]) -> Ended:
    if result.get("skip"):
        return Ended.SKIPPED
    return Ended.FAILED if result.get("fail") or result.get("error") else Ended.PASSED


def _test_name(case: Case) -> str:
    return case.name.partition(" / ")[0]


def _unexplained(cases: Sequence[Case]) -> list[str]:
    failed = (_test_name(case) for case in cases if case.ended is Ended.FAILED and not case.output)
    return list(dict.fromkeys(failed))[:_EXPLAINED]


def _explanation(name: str, opa: Path, tree: Path) -> str:
    """The expression that was not true, with the values in it, as OPA draws it."""
    only = ["--run", f"^data\\.{re.escape(name)}$", "--var-values"]
    ended = run(opa, ["test", "--bundle", *restrictions(), *only, "."], folder=tree)
    sections = _RULE.split(ended.stdout.decode("utf-8", "replace"))
    # A summary, the heading FAILURES, and then what is wanted, under the test's name and the time it took.
    explanation = sections[2] if len(sections) > 2 else ended.complaint  # noqa: PLR2004
    return textwrap.dedent(explanation.strip().partition("\n")[2].strip("\n"))


def _coverage(sources: Sources, root: int, opa: Path, tree: Path) -> list[Coverage]:
    ended = accepted(_opa_test(opa, tree, "--coverage", "--exit-zero-on-skipped"), sources)
    files: Mapping[str, Any] = json.loads(ended.stdout)["files"]
    measured = {path.removeprefix("./"): report for path, report in files.items()}
    return [
        Coverage(source.label, report.get("covered_lines", 0), _lines(report.get("not_covered", ())))
        for source in sources.of(Kind.REGO)
        if source.root == root and (report := measured.get(source.path)) is not None
    ]


def _lines(ranges: Sequence[Mapping[str, Any]]) -> tuple[int, ...]:
    lines = {row for part in ranges for row in range(part["start"]["row"], part["end"]["row"] + 1)}
    return tuple(sorted(lines))
