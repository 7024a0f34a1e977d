"""The published JSON Schemas: which files there are, and what each says.

Run as a module, it rewrites them: `python -m mandate.schemas`. A released shape with a version in its name
is never changed: it needs a new version, with a new file. Those without one are for editors, and say what the
settings and the library are now.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

from . import composition, share
from .collectors import approvals, developers, provenance
from .engine import chart_schema, configuration_schema
from .engine.evidence import predicates
from .engine.evidence import schema as of_predicates
from .engine.evidence.export import manifest as export_manifest
from .engine.evidence.predicates.base import AUTHORITY
from .engine.input import schema as document
from .engine.opa.locate import find_opa
from .engine.policy import build, sources
from .engine.policy import schemas as of_policies
from .engine.service.access.tokens import CALLERS

_ORGANISATION = 1
"""The number of a folder of policies that stands beside the library."""


@cache
def _of_the_library() -> Mapping[str, dict[str, Any]]:
    """What an organisation may write beside the library; with rules of its own, it may write more."""
    library = sources.read([share.policies()])
    return of_policies.schemas(build.compiled(library, opa=find_opa()), _ORGANISATION)


def _of_policies() -> Mapping[str, Callable[[], dict[str, Any]]]:
    thresholds = (f"thresholds/{file.stem}" for file in sorted(share.policies().glob("thresholds/*.yaml")))
    return {
        f"schemas/policies/{name}.json": partial(lambda name: _of_the_library()[name], name)
        for name in ("people", "scope", "selection", "waivers", *thresholds)
    }


def _of_predicates() -> Mapping[str, Callable[[], dict[str, Any]]]:
    """`decision/v1` is published as `schemas/decision.v1.json`."""
    return {
        f"schemas/{kind.removeprefix(AUTHORITY).replace('/', '.')}.json": partial(
            of_predicates.json_schema, kind
        )
        for kind in sorted(predicates.TYPES)
    }


FILES: Mapping[str, Callable[[], dict[str, Any]]] = {
    "deploy/helm/mandate/values.schema.json": lambda: chart_schema.json_schema(
        composition.collector_options()
    ),
    "schemas/approvals.v1.json": approvals.schema,
    "schemas/callers.json": lambda: configuration_schema.of_list(
        CALLERS, "callers.yaml", "Who may call the service."
    ),
    "schemas/developers.v1.json": developers.schema,
    "schemas/export-manifest.v1.json": export_manifest.json_schema,
    "schemas/input.v1.json": document.json_schema,
    "schemas/mandate.json": lambda: configuration_schema.json_schema(composition.collector_options()),
    "schemas/provenance.v1.json": provenance.schema,
    **_of_predicates(),
    **_of_policies(),
    "policies/schemas/input.json": document.opa_schema,
}
"""By the path from the project's root."""


def write(root: Path) -> None:
    """Write all files below `root`."""
    for name, schema in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(document.text(schema()), encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else Path.cwd())
