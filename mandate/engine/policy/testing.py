"""Runs the policies' own tests.

The tests of a root see that root and those before it: the library's tests are about the library's thresholds,
whatever the organisation sets after it.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from ..errors import BadPolicy
from ..nearest import advice
from .build import Compiled, check_rego, compiled, restrictions
from .command import Completed, run
from .complaints import accepted
from .probing import Compared, Failed, compared
from .sources import Kind, Sources, read
from .tree import merged, write_data

_FAILED = 2
"""OPA's exit status where tests ran and some did not pass."""
_EXPLAINED = 20
"""As many failures are explained. Who has more of them begins with these."""
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
    compared: Compared | None = None
    """The comparison that was not true, where it failed at one."""
    output: str = ""
    """Otherwise why it failed: the expression and the values in it as OPA draws them, or the error."""


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


@dataclass(frozen=True, slots=True)
class Suite:
    """The tests of one root, with the policies of that root and those before it."""

    root: int
    sources: Sources
    """With this root's tests, and all that tests share."""
    data: Mapping[str, Any]
    """`data.mandate`, without what later roots set."""

    @contextmanager
    def tree(self) -> Iterator[Path]:
        """A temporary folder with all of it."""
        with merged(self.sources, Kind.REGO, Kind.TEST) as tree:
            write_data(tree, self.data)
            yield tree


def suites(sources: Sources, *, opa: Path, whole: Compiled | None = None) -> Iterator[Suite]:
    """One for each root that has Rego; `whole` is what all sources compile to, where that is known."""
    last = max((source.root for source in sources.files), default=0)
    for root in range(last + 1):
        seen = _up_to(root, sources)
        if any(source.root == root and source.path.endswith(".rego") for source in seen.files):
            known = whole if root == last else None
            yield Suite(root, seen, (known or compiled(seen, opa=opa)).data)


def run_tests(roots: Sequence[Path], *, opa: Path, only: Sequence[str] = ()) -> TestReport:
    """Test the policies of all roots, the library first. `BadPolicy` if they do not compile.

    `only` names rules, categories, packages or tests: no others are run then, and no coverage is measured.
    """
    cases: list[Case] = []
    files: list[Coverage] = []
    for suite in suites(read(roots), opa=opa):
        with suite.tree() as tree, ThreadPoolExecutor() as pool:
            check_rego(tree, suite.sources, opa=opa)
            covered = pool.submit(coverage, suite, tree, opa=opa) if not only else None
            cases += results(suite, tree, opa=opa, only=only)
            files += (covered.result() or ()) if covered else ()
    if only and not cases:
        raise BadPolicy(
            f"there is no test of {' or '.join(map(ascii, only))}", next_step=_known_tests(roots, only[0])
        )
    failed = any(case.ended is Ended.FAILED for case in cases)
    cases.sort(key=_place)
    return TestReport(tuple(cases), () if failed else tuple(files))


def _known_tests(roots: Sequence[Path], name: str) -> str:
    packages = {
        source.path.removesuffix("_test.rego").rpartition("/")[0].replace("/", ".")
        for source in read(roots).of(Kind.TEST)
        if source.path.endswith("_test.rego")
    }
    return advice(name, {package.removeprefix("mandate.").removeprefix("rules.") for package in packages})


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


def results(suite: Suite, tree: Path, *, opa: Path, only: Sequence[str] = ()) -> list[Case]:
    """How each test ended, with an explanation of those that failed."""
    selected = ["--run", "|".join(map(_pattern, only))] if only else []
    ended = accepted(_opa_test(opa, tree, *selected), suite.sources, _FAILED)
    found = [pair for result in json.loads(ended.stdout) or () for pair in _cases(result, suite.sources)]
    unexplained = [failed for case, failed in found if case.ended is Ended.FAILED and not case.output]
    sides = compared(unexplained[:_EXPLAINED], tree, opa, restrictions())
    drawn: dict[str, str] = {}
    cases: list[Case] = []
    for case, failed in found:
        test = f"{failed.package}.{failed.test}"
        if failed in sides:
            cases.append(replace(case, compared=sides[failed]))
        elif failed in unexplained[:_EXPLAINED]:
            drawn[test] = drawn.get(test) or _drawn(test, opa, tree)
            cases.append(replace(case, output=_of_case(drawn[test], failed.case)))
        else:
            cases.append(case)
    return cases


def _pattern(name: str) -> str:
    """Of the tests of a rule or category, of a package such as `main` or `lib.check`, or of one test."""
    return rf"^data\.(mandate\.)?(rules\.)?{re.escape(name)}(_test)?(\.|$)"


def _opa_test(opa: Path, tree: Path, *options: str) -> Completed:
    arguments = ["test", "--bundle", "--format", "json", "--timeout", _TIMEOUT, *restrictions(), *options]
    return run(opa, [*arguments, "."], folder=tree)


def _cases(result: Mapping[str, Any], sources: Sources) -> list[tuple[Case, Failed]]:
    location = result["location"]
    file = location["file"].removeprefix("./")
    where = f"{sources.label(file)}:{location['row']}"
    package, test = result["package"], result["name"]
    name = f"{package.removeprefix('data.')}.{test}"
    error = result.get("error") or {}
    below = result.get("sub_results")
    if below and not error:
        return [
            (Case(" / ".join((name, *path)), where, ended), Failed(package, test, path, file))
            for path, ended in sorted(_ended_below(below))
        ]
    output = str(error.get("message", ""))
    return [(Case(name, where, _ended(result), output=output), Failed(package, test, (), file))]


def _ended_below(
    results: Mapping[str, Any], above: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Ended]]:
    for key, result in results.items():
        path = (*above, key)
        if below := result.get("sub_results"):
            yield from _ended_below(below, path)
        else:
            yield path, _ended(result)


def _ended(result: Mapping[str, Any]) -> Ended:
    if result.get("skip"):
        return Ended.SKIPPED
    return Ended.FAILED if result.get("fail") or result.get("error") else Ended.PASSED


def _drawn(test: str, opa: Path, tree: Path) -> str:
    """The expression that was not true, with the values in it, as OPA draws it."""
    only = ["--run", f"^{re.escape(test)}$", "--var-values"]
    ended = run(opa, ["test", "--bundle", *restrictions(), *only, "."], folder=tree)
    sections = _RULE.split(ended.stdout.decode("utf-8", "replace"))
    # A summary, the heading FAILURES, and then what is wanted, under the test's name and the time it took.
    explanation = sections[2] if len(sections) > 2 else ended.complaint  # noqa: PLR2004
    return textwrap.dedent(explanation.strip().partition("\n")[2].strip("\n"))


def _of_case(drawn: str, case: tuple[str, ...]) -> str:
    """The part of what OPA draws that is about the case."""
    lines = drawn.splitlines()
    heads = [at for at, line in enumerate(lines) if re.fullmatch(r"\S.*: FAIL", line)]
    for at, following in zip(heads, [*heads, len(lines)][1:], strict=True):
        if case and lines[at] == f"{case[0]}: FAIL":
            return textwrap.dedent("\n".join(lines[at + 1 : following])).strip("\n")
    return drawn


def coverage(suite: Suite, tree: Path, *, opa: Path) -> tuple[Coverage, ...] | None:
    """What the tests run of this root's policies; `None` if one of them does not pass."""
    ended = _opa_test(opa, tree, "--coverage")
    if ended.status != 0:
        return None
    files: Mapping[str, Any] = json.loads(ended.stdout)["files"]
    measured = {path.removeprefix("./"): report for path, report in files.items()}
    return tuple(
        Coverage(source.label, report.get("covered_lines", 0), _lines(report.get("not_covered", ())))
        for source in suite.sources.of(Kind.REGO)
        if source.root == suite.root and (report := measured.get(source.path)) is not None
    )


def _lines(ranges: Sequence[Mapping[str, Any]]) -> tuple[int, ...]:
    lines = {row for part in ranges for row in range(part["start"]["row"], part["end"]["row"] + 1)}
    return tuple(sorted(lines))
