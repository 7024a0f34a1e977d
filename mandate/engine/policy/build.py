"""Compiles sources into the entries of a bundle.

1. `opa check --strict`: the Rego is right, and calls only what policies may call
2. METADATA becomes the catalogue; thresholds and selection are held against it
3. `opa check` again, beside the data: no rule defines what the data holds
4. Rego, data, manifest and sources are laid out as `contents` says
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ... import share
from ..errors import BadPolicy
from ..strict_yaml import Document, load
from . import capabilities, people, scope, selection, waivers
from .catalogue import applicable, describe
from .command import run
from .complaints import accepted
from .contents import entries
from .declarations import Declaration
from .faults import Faults
from .sources import FORMAT, Kind, Source, Sources
from .thresholds import compile_thresholds
from .tree import merged, write_data

_MAX_ERRORS = 100


@dataclass(frozen=True, slots=True)
class Compiled:
    """What the METADATA and the YAML of sources compile to."""

    sources: Sources
    declarations: tuple[Declaration, ...]
    """The thresholds that packages read, with their schemas and the lines that say so."""
    data: dict[str, Any]
    """What becomes `data.mandate`: `applicable`, `catalogue`, `people`, `scope`, `selection`,
    `thresholds` and `waivers`."""


def build(sources: Sources, *, opa: Path, release: int | None = None) -> dict[str, bytes]:
    """The entries of the bundle, for `archive.pack`. `BadPolicy` for sources that cannot be compiled."""
    if sources.format != FORMAT:
        raise BadPolicy(
            f"these are sources of format {sources.format}, and this Mandate compiles format {FORMAT}",
            where=sources.revision,
            next_step="Compile the policies again from their folders",
        )
    whole = compiled(sources, opa=opa)
    refuse_conflicts(whole, opa=opa)
    return entries(sources, whole.data, release=release)


def refuse_conflicts(whole: Compiled, *, opa: Path) -> None:
    """`BadPolicy` for a rule that defines what the data hold."""
    with merged(whole.sources, Kind.REGO) as tree:
        write_data(tree, whole.data)
        check_rego(tree, whole.sources, opa=opa)


def check_rego(tree: Path, sources: Sources, *, opa: Path, schemas: Path | None = None) -> None:
    """Hold the tree against `opa check --strict`, and against the schema of the input where one is given."""
    schema = [] if schemas is None else ["--schema", str(schemas.absolute())]
    options = ["--strict", "--bundle", "--format", "json", "--max-errors", str(_MAX_ERRORS)]
    arguments = ["check", *options, *restrictions(), *schema, "."]
    accepted(run(opa, arguments, folder=tree), sources)


def compiled(sources: Sources, *, opa: Path) -> Compiled:
    """What the sources compile to, Rego aside. `BadPolicy` for sources that cannot be compiled."""
    with merged(sources, Kind.REGO) as tree:
        check_rego(tree, sources, opa=opa)
        return compile_data(tree, sources, opa=opa)


def compile_data(tree: Path, sources: Sources, *, opa: Path) -> Compiled:
    """As `compiled`, of a merged tree that `opa check` has accepted."""
    documents = _documents(sources)
    limits = scope.compile_scope(_at(scope.FILE, documents))
    described = describe(tree, sources, limits, opa=opa)
    data: dict[str, Any] = {
        "applicable": applicable(described.catalogue, limits),
        "catalogue": described.catalogue,
        "scope": limits.as_data(),
    }
    with Faults() as faults:
        with faults.kept():
            thresholds = compile_thresholds(_at("thresholds/", documents), limits, described.declarations)
            data["thresholds"] = thresholds
            data["waivers"] = waivers.compile_waivers(
                _at(waivers.FOLDER, documents), described.catalogue, waivers.longest(thresholds)
            )
        with faults.kept():
            data["people"] = people.compile_people(_at(people.FOLDER, documents))
        with faults.kept():
            data["selection"] = selection.compile_selection(
                _at(selection.FILE, documents), limits, described.catalogue
            )
    return Compiled(sources, described.declarations, data)


def _documents(sources: Sources) -> dict[Source, Document]:
    """All YAML, in the order of the roots."""
    documents: dict[Source, Document] = {}
    with Faults() as faults:
        for source in sources.of(Kind.YAML):
            with faults.kept():
                documents[source] = load(source.content, BadPolicy, name=source.label)
    return documents


def _at(path: str, documents: Mapping[Source, Document]) -> list[Document]:
    """Those at the path, or in the folder."""
    return [document for source, document in documents.items() if source.path.startswith(path)]


def restrictions() -> Sequence[str]:
    """The options that let policies call only what is allowed."""
    return ("--capabilities", str(share.opa() / capabilities.FILE))
