"""All that is wrong with policies, found in one go: what `mandate policy check` says.

1. `opa check` of Rego and tests against the schema of the input
2. The compiler: metadata, thresholds, selection, waivers
3. Beside each other: the bundle, OPA's format, Regal, the tests with their coverage, and what the tests lack
4. What depends on the day: waivers and rules that are announced

A step that needs an earlier one is left out where that failed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import Path

from ... import share
from ..errors import BadPolicy
from .build import Compiled, check_rego, compiled, refuse_conflicts
from .conformance import conformance
from .deadlines import deadlines
from .formatting import unformatted
from .linting import lint, lint_checks, run_checks_tests
from .problems import Level, Problem, in_order, problems_of
from .sources import Kind, Sources, read
from .testing import Case, Coverage, Ended, Suite, coverage, results, suites
from .tree import merged

_UNREADABLE = "rego_parse_error"
_MOST_UNREADABLE = 20
_LINES_NAMED = 10


def check(
    roots: Sequence[Path],
    *,
    opa: Path,
    regal: Path | None,
    now: datetime,
    tests: bool = True,
    strict: bool = False,
) -> tuple[Problem, ...]:
    """All that is wrong with the policies of these roots, the library first; empty if nothing is.

    Without `regal` only OPA and the compiler are asked. Without `tests` none is run; what they must have is
    asked for all the same. `now` is the day on which waivers are pending, expiring or expired. `strict` makes
    errors of warnings.
    """
    try:
        sources = read(roots)
    except BadPolicy as error:
        return in_order(problems_of("compiler", error))
    found = _found(roots, sources, opa=opa, regal=regal, now=now, tests=tests)
    return in_order(replace(problem, level=Level.ERROR) for problem in found) if strict else in_order(found)


def _found(
    roots: Sequence[Path], sources: Sources, *, opa: Path, regal: Path | None, now: datetime, tests: bool
) -> list[Problem]:
    # A bundle carries neither tests nor what Regal needs.
    is_folder = roots[0].is_dir()
    library = roots[0] if is_folder else share.policies()
    with merged(sources, Kind.REGO, Kind.TEST) as tree, ThreadPoolExecutor() as pool:
        work = _Work(pool)
        found = _checked(tree, sources, library, opa, work)
        if regal is None:
            found.append(_regal_is_missing())
        else:
            work.begin("regal", partial(lint, tree, sources, library, regal=regal))
            work.begin("regal", partial(lint_checks, library, regal=regal))
            work.begin("regal-test", partial(run_checks_tests, library, regal=regal))
        found += work.done("compiler", lambda: _compiled(sources, opa, now, work, tests=tests and is_folder))
        work.begin("opa-fmt", partial(unformatted, tree, sources, opa=opa))
        work.begin("opa-fmt", partial(_unformatted_checks, library, opa))
        return [*found, *work.ended()]


@dataclass
class _Work:
    """Steps that wait for programs, and so run beside each other."""

    pool: ThreadPoolExecutor
    _begun: list[Future[list[Problem]]] = field(default_factory=list)

    @staticmethod
    def done(tool: str, step: Callable[[], Iterable[Problem]]) -> list[Problem]:
        """What the step finds; that it cannot be taken is something found as well."""
        try:
            return list(step())
        except BadPolicy as error:
            return list(problems_of(tool, error))

    def begin(self, tool: str, step: Callable[[], Iterable[Problem]]) -> None:
        """Take the step beside others."""
        self._begun.append(self.pool.submit(self.done, tool, step))

    def ended(self) -> Iterator[Problem]:
        """What was found by all that was begun, once it has ended."""
        for step in self._begun:
            yield from step.result()


def _checked(tree: Path, sources: Sources, library: Path, opa: Path, work: _Work) -> list[Problem]:
    """What OPA says of the tree, from which files that cannot be parsed are taken: the others are looked at
    all the same. OPA names the first of these only, and without them it would say what depends on them."""
    unreadable: list[Problem] = []
    for _ in range(_MOST_UNREADABLE):
        found = work.done("opa-check", lambda: _typed(tree, sources, library, opa))
        broken = {problem.file: problem for problem in found if problem.rule == _UNREADABLE}
        if not broken:
            return unreadable or found
        unreadable += broken.values()
        for source in sources.of(Kind.REGO, Kind.TEST):
            if source.label in broken:
                (tree / source.path).unlink()
    return unreadable


def _typed(tree: Path, sources: Sources, library: Path, opa: Path) -> tuple[Problem, ...]:
    """Tests too, and references to fields that the input does not have."""
    folder = library / "schemas"
    # OPA wants the folder where METADATA names the schema; otherwise the file, which is then for all of them.
    named = any(b"schema.input" in source.content for source in sources.of(Kind.REGO))
    schemas = folder if named else folder / "input.json"
    check_rego(tree, sources, opa=opa, schemas=schemas if schemas.exists() else None)
    return ()


def _compiled(sources: Sources, opa: Path, now: datetime, work: _Work, *, tests: bool) -> Iterator[Problem]:
    """What is wrong before anything is judged; begins what can be asked of policies that compile."""
    whole = compiled(sources, opa=opa)
    yield from deadlines(whole.data, now)
    work.begin("compiler", partial(_conflicts, whole, opa))
    for suite in suites(sources, opa=opa, whole=whole):
        work.begin("opa-test", partial(_tested, suite, opa, tests=tests))


def _conflicts(whole: Compiled, opa: Path) -> tuple[Problem, ...]:
    refuse_conflicts(whole, opa=opa)
    return ()


def _unformatted_checks(library: Path, opa: Path) -> Iterator[Problem]:
    if (library / "checks").is_dir():
        yield from unformatted(library, Sources(()), opa=opa, below="checks")


def _regal_is_missing() -> Problem:
    return Problem(
        "regal",
        "missing",
        Level.WARNING,
        "",
        "regal is not installed, so its rules and Mandate's own are not checked",
        "Run `mandate opa install --regal`",
    )


def _tested(suite: Suite, opa: Path, *, tests: bool) -> Iterator[Problem]:
    with suite.tree() as tree:
        failed: list[Case] = []
        if tests:
            covered = coverage(suite, tree, opa=opa)
            if covered is None:  # a test does not pass, and which one is not said there
                failed = [case for case in results(suite, tree, opa=opa) if case.ended is not Ended.PASSED]
                yield from map(_failure, failed)
            else:
                yield from (_uncovered(file) for file in covered if file.uncovered)
        # A case that a test has told of already is not told again.
        told = {case.name for case in failed}
        yield from conformance(suite, tree, told, opa=opa)


def _failure(case: Case) -> Problem:
    ended = "is skipped" if case.ended is Ended.SKIPPED else "failed"
    name = case.name.removeprefix("mandate.").removeprefix("rules.")
    return Problem(
        "opa-test",
        case.ended.value,
        Level.ERROR,
        case.where,
        f"the test {name} {ended}",
        f"See `mandate policy test {name.partition(' / ')[0]}`",
    )


def _uncovered(file: Coverage) -> Problem:
    lines = file.uncovered
    named = ", ".join(map(str, lines[:_LINES_NAMED])) + (", …" if len(lines) > _LINES_NAMED else "")
    return Problem(
        "opa-test",
        "coverage",
        Level.ERROR,
        f"{file.file}:{lines[0]}",
        f"no test runs line {named}",
        "Add a test in which it matters, or remove it",
    )
