"""OPA's own format of Rego, and what else is mechanical."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from .command import run
from .complaints import refusal
from .linting import mend
from .problems import Level, Problem, problems_of
from .sources import Sources

REGO_FOLDERS = ("mandate", "checks")


def unformatted(folder: Path, sources: Sources, *, opa: Path, below: str = ".") -> Iterator[Problem]:
    """The files below the folder that are written in another format."""
    ended = run(opa, ["fmt", "--list", below], folder=folder)
    if ended.status != 0:
        yield from problems_of("opa-fmt", refusal(ended, sources))
        return
    for file in ended.stdout.decode().splitlines():
        yield Problem(
            "opa-fmt",
            "format",
            Level.ERROR,
            sources.label(file.removeprefix("./")),
            "it is not in OPA's format",
            "Run `mandate policy check --fix`",
        )


def rewrite(roots: Sequence[Path], *, opa: Path, regal: Path | None = None) -> None:
    """Mend in the Rego of all roots what Regal mends by itself, then write it in OPA's format.

    `BadPolicy` for what cannot be parsed.
    """
    for root in roots:
        for folder in REGO_FOLDERS:
            if not (root / folder).is_dir():
                continue
            if regal is not None:
                mend(root, folder, roots[0], regal=regal)
            ended = run(opa, ["fmt", "--write", folder], folder=root)
            if ended.status != 0:
                raise refusal(ended, Sources(()))
