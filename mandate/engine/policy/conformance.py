"""Whether each rule has the tests that it must have, which `mandate.testing.conformance` says in Rego."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from pathlib import Path

from .build import restrictions
from .command import run
from .complaints import accepted
from .problems import Level, Problem
from .sources import Kind, Sources
from .testing import Suite

_FOLDER = "mandate/testing/conformance/"
_QUERY = "data.mandate.testing.conformance.problems"
_CASES = re.compile(r"^cases\b", re.MULTILINE)


def conformance(suite: Suite, tree: Path, told: Collection[str], *, opa: Path) -> Iterator[Problem]:
    """What the tests of this root's rules lack. A library without that package demands nothing.

    Verdicts that are not what a case expects are left out where a test of that name is among those `told`.
    """
    if not any(source.path.startswith(_FOLDER) for source in suite.sources.of(Kind.TEST)):
        return
    options = ["--bundle", ".", "--format", "json", *restrictions()]
    ended = accepted(run(opa, ["eval", *options, _QUERY], folder=tree), suite.sources)
    own = {source.folder for source in suite.sources.of(Kind.REGO) if source.root == suite.root}
    for found in json.loads(ended.stdout)["result"][0]["expressions"][0]["value"]:
        test = f"mandate.rules.{found['rule']}_test."
        if _folder(found["rule"]) not in own or any(
            name.startswith(test) and name.endswith(f" / {found['case']}") for name in told
        ):
            continue
        yield Problem(
            "conformance",
            found["kind"],
            Level.ERROR,
            _where(found["rule"], suite.sources),
            found["what"],
            found["next_step"],
        )


def _folder(rule: str) -> str:
    return f"mandate/rules/{rule.replace('.', '/')}"


def _where(rule: str, sources: Sources) -> str:
    """The line with the rule's cases; the rule itself where it has no test."""
    path = f"{_folder(rule)}/{rule.rpartition('.')[2]}"
    for source in sources.of(Kind.TEST):
        if source.path == f"{path}_test.rego":
            text = source.content.decode("utf-8", "replace")
            match = _CASES.search(text)
            return f"{source.label}:{text.count(chr(10), 0, match.start()) + 1 if match else 1}"
    return f"{sources.label(f'{path}.rego')}:1"
