"""Rollouts of Argo."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..governed import Governed, NotUnderstood
from .kind import Kind, from_template

_of_template = from_template("spec", "template")


def _extract(found: Mapping[str, Any]) -> Governed:
    spec = found.get("spec")
    if isinstance(spec, dict) and spec.get("workloadRef") is not None:
        raise NotUnderstood("spec.workloadRef names another object, which may change: write spec.template")
    return _of_template(found)


KIND = Kind("argoproj.io", "Rollout", _extract)
