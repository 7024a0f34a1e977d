"""Who may import whom. The rules are those of ARCHITECTURE.md."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TypeGuard

import pytest

import mandate

PACKAGE = Path(mandate.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
HEAVY = (
    "mlflow",
    "pandas",
    "numpy",
    "sklearn",
    "fairlearn",
    "evidently",
    "model_signing",
    "pyarrow",
    "scipy",
    "sphinx",
    "docutils",
    "boto3",
    "botocore",
)

FOUNDATIONS = (
    "mandate.engine.action",
    "mandate.engine.digests",
    "mandate.engine.durably",
    "mandate.engine.errors",
    "mandate.engine.git",
    "mandate.engine.nearest",
    "mandate.engine.said",
    "mandate.engine.strict_json",
    "mandate.engine.strict_yaml",
)
INPUT = ("mandate.engine.input", "mandate.engine.errors")
VALUES = (*FOUNDATIONS, "mandate.engine.input", "mandate.engine.decision")

# What a module may import of Mandate itself; the longest prefix of its name counts. Each may import its own
# package, but for collectors, which never import each other.
ALLOWED: dict[str, tuple[str, ...]] = {
    "mandate.__main__": ("mandate.engine.cli",),
    "mandate.share": (),
    "mandate.composition": ("mandate",),
    "mandate.judging": ("mandate",),
    "mandate.schemas": ("mandate",),
    "mandate.serving": ("mandate",),
    "mandate.working": ("mandate",),
    "mandate.collectors": INPUT,
    "mandate.registry": (*FOUNDATIONS, "mandate.engine.input", "mandate.registry"),
    "mandate.sources": (*FOUNDATIONS, "mandate.engine.input", "mandate.sources"),
    "mandate.engine.action": (),
    "mandate.engine.durably": (),
    "mandate.engine.errors": (),
    "mandate.engine.digests": (),
    "mandate.engine.git": ("mandate.engine.errors",),
    "mandate.engine.nearest": (),
    "mandate.engine.said": (),
    "mandate.engine.strict_json": (),
    "mandate.engine.strict_yaml": ("mandate.engine.errors",),
    "mandate.engine.input": (*INPUT, "mandate.engine.action", "mandate.engine.digests"),
    "mandate.engine.decision": INPUT,
    "mandate.engine.configuration": (
        *FOUNDATIONS,
        "mandate.engine.input",
        "mandate.engine.service.settings",
    ),
    "mandate.engine.configuration_schema": ("mandate.engine.configuration", "mandate.engine.input"),
    "mandate.engine.chart_schema": ("mandate.engine.configuration_schema",),
    "mandate.engine.policy": (*VALUES, "mandate.share", "mandate.engine.policy"),
    # A revision is named by the mandate.yaml that names its roots, too.
    "mandate.engine.policy.release_keys": (
        *VALUES,
        "mandate.engine.evidence.keys",
        "mandate.engine.evidence.public_keys",
        "mandate.engine.policy",
    ),
    # A person's key is known by its fingerprint, as in the envelopes that it signs.
    "mandate.engine.policy.people": (
        *VALUES,
        "mandate.engine.evidence.public_keys",
        "mandate.engine.policy",
    ),
    "mandate.engine.policy.revisions": (
        *VALUES,
        "mandate.engine.configuration",
        "mandate.engine.policy",
        "mandate.share",
    ),
    "mandate.engine.http": ("mandate.engine.errors", "mandate.engine.said", "mandate.engine.http"),
    "mandate.engine.opa": (*VALUES, "mandate.share", "mandate.engine.http", "mandate.engine.opa"),
    "mandate.engine.evidence": (*VALUES, "mandate.__version__", "mandate.engine.evidence"),
    "mandate.engine.replay": (
        *VALUES,
        "mandate.__version__",
        "mandate.share",
        "mandate.engine.evidence",
        "mandate.engine.opa",
        "mandate.engine.policy",
        "mandate.engine.replay",
    ),
    "mandate.engine.posts": (
        "mandate.engine.configuration",
        "mandate.engine.errors",
        "mandate.engine.evidence",
    ),
    "mandate.engine.issuing": (*FOUNDATIONS, "mandate.engine.http", "mandate.engine.issuing"),
    "mandate.engine.lifecycle": (*VALUES, "mandate.engine.evidence", "mandate.engine.lifecycle"),
    "mandate.engine.collecting": (*INPUT, "mandate.engine.digests"),
    "mandate.engine.claim": (*INPUT, "mandate.engine.digests", "mandate.engine.strict_json"),
    "mandate.engine.recorded_facts": (*INPUT, "mandate.engine.decision", "mandate.engine.evidence"),
    "mandate.engine.fresh_facts": (*VALUES, "mandate.engine.claim", "mandate.engine.evidence"),
    "mandate.engine.gate": (*VALUES, "mandate.engine.evidence"),
    "mandate.engine.report": (
        *VALUES,
        "mandate.__version__",
        "mandate.engine.evidence",
        "mandate.engine.gate",
        "mandate.engine.policy.diff",
        "mandate.engine.replay",
        "mandate.engine.report",
    ),
    "mandate.engine.remote": (*FOUNDATIONS, "mandate.engine.http", "mandate.engine.remote"),
    "mandate.engine.service.settings": (*INPUT, "mandate.engine.service.access.issuer_settings"),
    "mandate.engine.service.access.issuer_settings": (
        *INPUT,
        "mandate.engine.http.urls",
        "mandate.engine.service.access.addresses",
        "mandate.engine.service.access.roles",
    ),
    "mandate.engine.service": (
        *VALUES,
        "mandate.__version__",
        "mandate.engine.collecting",
        "mandate.engine.evidence",
        "mandate.engine.gate",
        "mandate.engine.http",
        "mandate.engine.opa.deadline",
        "mandate.engine.opa.traced",
        "mandate.engine.recorded_facts",
        "mandate.engine.report",
        "mandate.engine.service",
    ),
    "mandate.engine.cli": ("mandate.engine", "mandate.composition", "mandate.share", "mandate.__version__"),
    "mandate.engine.cli.serve": ("mandate.engine", "mandate.serving"),
}


def name_of(module: Path) -> str:
    parts = module.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(module: Path, *, top_level: bool = False) -> Iterator[str]:
    tree = ast.parse(module.read_text())
    package = name_of(module).split(".")
    if module.name != "__init__.py":
        package = package[:-1]
    for node in _at_top(tree) if top_level else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            origin = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{origin}.{alias.name}" for alias in node.names)


def _at_top(tree: ast.Module) -> Iterator[ast.AST]:
    for node in tree.body:
        if not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
            yield node


@pytest.mark.parametrize("module", MODULES, ids=name_of)
def test_imports_point_the_way_that_the_architecture_says(module: Path) -> None:
    name = name_of(module)
    rule = max((prefix for prefix in ALLOWED if f"{name}.".startswith(f"{prefix}.")), key=len, default=None)
    if rule is None:
        assert name in ("mandate", "mandate.engine"), f"{name} stands nowhere in the architecture"
        return
    own = [imported for imported in imports(module) if imported.split(".")[0] == "mandate"]
    strays = [one for one in own if not any(f"{one}.".startswith(f"{to}.") for to in ALLOWED[rule])]
    assert strays == []


@pytest.mark.parametrize("module", sorted((PACKAGE / "engine").rglob("*.py")), ids=name_of)
def test_the_engine_names_its_own_modules_relatively(module: Path) -> None:
    tree = ast.parse(module.read_text())
    assert [node.module for node in ast.walk(tree) if _is_absolute(node)] == []


def _is_absolute(node: ast.AST) -> TypeGuard[ast.ImportFrom]:
    return isinstance(node, ast.ImportFrom) and not node.level and f"{node.module}.".startswith("mandate.")


@pytest.mark.parametrize("module", MODULES, ids=name_of)
def test_heavy_libraries_are_imported_where_they_are_used_only(module: Path) -> None:
    assert [one for one in imports(module, top_level=True) if one.split(".")[0] in HEAVY] == []


def test_the_whole_command_line_loads_without_a_heavy_library() -> None:
    every = ", ".join(name_of(module) for module in MODULES if module.stem != "__main__")
    code = f"import sys, {every}; print([name for name in {HEAVY!r} if name in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"
