"""Pods, with containers of all kinds: `kubectl debug` adds an ephemeral one to a Pod that runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import walking
from ..governed import Governed, Said
from .kind import Kind, member


def _extract(found: Mapping[str, Any]) -> Governed:
    spec, at = member(found, "spec")
    return Governed((Said.of(found.get("metadata"), "metadata"),), tuple(walking.pulls(spec, at)))


KIND = Kind("", "Pod", _extract, is_pod=True)
