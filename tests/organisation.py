"""An organisation that has just run `mandate init`, and its command line, in process."""

from __future__ import annotations

import atexit
import copy
import json
import shutil
from collections.abc import Iterator
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import cache
from io import StringIO
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from mandate import share
from mandate.engine import cli
from mandate.engine.evidence.predicates.decision import DECISION_TYPE
from mandate.engine.opa.locate import find_opa
from mandate.engine.policy import bundle as policy_bundle

GOOD: dict[str, Any] = json.loads((share.policies() / "mandate/testing/data.json").read_text())["good"]
"""An input document that satisfies every rule of the library: the one that the policies' own tests use."""

FIRST = 2
"""The index of the first decision: before it stand the opening of the ledger and the policies' first use."""

TRUSTING = (
    "accepted_origins: {default: [measured, reported], environments: {production: [measured, reported]}}\n"
)
"""A threshold file that accepts reported facts in production: a ready document can be allowed there."""


@dataclass(frozen=True)
class Ran:
    """A command that ended."""

    exit_code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Organisation:
    """A folder with mandate.yaml, a ledger and a key."""

    folder: Path

    def mandate(self, *arguments: str) -> Ran:
        """Run `mandate` in the folder."""
        out, err = StringIO(), StringIO()
        with chdir(self.folder), redirect_stdout(out), redirect_stderr(err):
            exit_code = cli.run(arguments)
        return Ran(exit_code, out.getvalue(), err.getvalue())

    def check(self, document: Any, *arguments: str) -> Ran:
        """`mandate check --input` on the document (JSON values, or bytes as they are)."""
        file = self.folder / "input.json"
        file.write_bytes(document if isinstance(document, bytes) else json.dumps(document).encode())
        return self.mandate("check", "--input", str(file), "--output", "json", *arguments)

    def asks(self, opa: str) -> None:
        """Let the OPA at this address judge from now on."""
        settings = self.folder / "mandate.yaml"
        settings.write_text(settings.read_text().replace("opa:\n", f"opa:\n  url: {opa}\n", 1))

    def entries(self) -> list[dict[str, Any]]:
        """The ledger's entries."""
        entries: list[dict[str, Any]] = self.mandate("ledger", "show", "--output", "json").json
        return entries

    def decisions(self) -> list[dict[str, Any]]:
        """The decisions among them: the first entry is the ledger's opening."""
        return [entry for entry in self.entries() if entry["kind"] == DECISION_TYPE]


def founded(folder: Path, *, trusting: bool = False) -> Organisation:
    """A new organisation; `trusting` accepts what is only reported, in production too."""
    organisation = Organisation(folder)
    assert organisation.mandate("init", "--name", "bank.example/models").exit_code == 0
    if trusting:
        (folder / "policies/thresholds/evidence.yaml").write_text(TRUSTING)
    # Bundles are stored under the digest of their sources: compiling the same ones for each test is a waste.
    shutil.copytree(_compiled(trusting), folder / ".mandate/policies")
    return organisation


@cache
def _compiled(trusting: bool) -> Path:
    """A store that has the bundle of such an organisation."""
    store = Path(mkdtemp(prefix="mandate-tests-"))
    atexit.register(shutil.rmtree, store)
    own = store / "own"
    (own / "thresholds").mkdir(parents=True)
    if trusting:
        (own / "thresholds/evidence.yaml").write_text(TRUSTING)
    policy_bundle.compile([share.policies(), own], opa=find_opa(), store=store / "policies")
    return store / "policies"


def good(**sections: Any) -> dict[str, Any]:
    """The good document with some sections replaced; `...` leaves one out."""
    document = copy.deepcopy(GOOD) | sections
    return {name: value for name, value in document.items() if value is not ...}


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The path of every value in a document, the root's first."""
    yield path
    children = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, child in children:
        yield from places(child, (*path, key))


def at(document: Any, path: tuple[str | int, ...]) -> Any:
    """The value at a path."""
    for part in path:
        document = document[part]
    return document


def with_value(document: dict[str, Any], path: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    """The document with another value at a path; `...` removes it."""
    changed = copy.deepcopy(document)
    around = at(changed, path[:-1])
    if value is ...:
        del around[path[-1]]
    else:
        around[path[-1]] = value
    return changed
