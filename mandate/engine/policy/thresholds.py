"""`thresholds/*.yaml`: compiled, and held against what the rules declare that they read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

from ..nearest import advice
from ..strict_yaml import Document
from .declarations import Declaration
from .faults import Faults
from .layers import Name, Settings
from .scope import Scope


def compile_thresholds(
    documents: Sequence[Document], scope: Scope, declarations: Sequence[Declaration]
) -> dict[str, Any]:
    """`data.mandate.thresholds`: the files in the order of their roots, later values replacing earlier ones.

    `BadPolicy` for a setting that no rule declares, a declared one that has no value, and a value that is not
    what was declared.
    """
    settings = Settings(scope)
    with Faults() as faults:
        for document in documents:
            node = {} if document.value is None else document.value
            with faults.kept():
                settings.add(document, (PurePosixPath(document.name).stem,), node)
        _note_unknown(settings, declarations, faults)
        _note_misfits(settings, declarations, faults)
    # A name that is misspelt is missing as well: one typo is not to be told twice.
    with Faults() as faults:
        _note_missing(settings, declarations, faults)
        with faults.kept():
            settings.refuse_without_default()
    return settings.as_data()


def _note_unknown(settings: Settings, declarations: Sequence[Declaration], faults: Faults) -> None:
    for name in settings.leaves:
        if not any(declared.covers(name) for declared in declarations):
            known = {declared.dotted for declared in declarations}
            faults.add(
                f"no rule reads the threshold {'.'.join(name)!a}",
                where=settings.places[name],
                next_step=advice(".".join(name), known),
            )
    for name, where in settings.groups.items():
        prefixes = {declared.name[: len(name)] for declared in declarations}
        if name not in prefixes:
            known = {".".join(prefix) for prefix in prefixes}
            faults.add(
                f"no rule reads the thresholds {'.'.join(name)!a}",
                where=where,
                next_step=advice(".".join(name), known),
            )


def _note_missing(settings: Settings, declarations: Sequence[Declaration], faults: Faults) -> None:
    for declared in declarations:
        there = settings.groups if declared.is_group else settings.leaves
        name: Name = declared.name[:-1] if declared.is_group else declared.name
        if name not in there:
            faults.add(
                f"the threshold {declared.dotted} has no value",
                where=declared.where,
                next_step=f"Set it in thresholds/{declared.name[0]}.yaml",
            )


def _note_misfits(settings: Settings, declarations: Sequence[Declaration], faults: Faults) -> None:
    for name, layers in settings.leaves.items():
        for declared in declarations:
            if not declared.covers(name):
                continue
            for leaf in layers.values():
                if (fault := declared.fault(leaf.value)) is not None:
                    faults.add(
                        f"{'.'.join(name)}: {fault.what}", where=leaf.set_at, next_step=fault.next_step
                    )
