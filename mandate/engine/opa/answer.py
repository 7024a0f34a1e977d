"""The body of OPA's answer, read without trust."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from .. import strict_json
from ..errors import NotAnAnswer
from ..said import quoted


@dataclass(frozen=True, slots=True)
class Answer:
    """What OPA said: a result, and who says so. Whether it is a decision is for the judge to find out."""

    result: Mapping[str, Any]
    opa_version: str | None
    """As in `provenance`; `None` if it was not given."""
    revisions: Mapping[str, str]
    """Bundle name → revision."""


def parse(body: bytes, where: str) -> Answer:
    """The answer in a response's body; `NotAnAnswer` if it is not of the form of OPA's data API."""
    try:
        document = strict_json.parse(body)
    except strict_json.NotStrict as error:
        raise _not(f"{error} in {quoted(body)}", where) from error
    if not isinstance(document, dict):
        raise _not(f"not an object but {quoted(body)}", where)
    if "result" not in document:
        # OPA's way of saying that the decision is undefined: no such policies, or none that holds.
        raise NotAnAnswer(
            "OPA knows no decision: its answer has no result",
            where=where,
            next_step="Load Mandate's policy bundle into this OPA",
        )
    result = document["result"]
    if not isinstance(result, dict):
        raise _not(f"its result is not an object in {quoted(body)}", where)
    version, revisions = _provenance(document.get("provenance"), where)
    return Answer(
        result=MappingProxyType(result),
        opa_version=version,
        revisions=MappingProxyType(revisions),
    )


def _provenance(provenance: Any, where: str) -> tuple[str | None, dict[str, str]]:
    if provenance is None:
        return None, {}
    if not isinstance(provenance, dict):
        raise _not("its provenance is not an object", where)
    version = provenance.get("version")
    if not (version is None or isinstance(version, str)):
        raise _not("its provenance gives no version", where)
    bundles = provenance.get("bundles", {})
    if not isinstance(bundles, dict):
        raise _not("its provenance lists no bundles", where)
    revisions: dict[str, str] = {}
    for name, bundle in bundles.items():
        revision = bundle.get("revision") if isinstance(bundle, dict) else None
        if not isinstance(revision, str):
            raise _not(f"its provenance gives no revision for the bundle {quoted(name, 80)}", where)
        revisions[name] = revision
    if "revision" in provenance:
        # The form of the deprecated `bundle` setting: one bundle without a name.
        revision = provenance["revision"]
        if not isinstance(revision, str) or "" in revisions:
            raise _not("its provenance contradicts itself", where)
        revisions[""] = revision
    return version, revisions


def _not(what: str, where: str) -> NotAnAnswer:
    return NotAnAnswer(
        f"OPA's answer cannot be read: {what}",
        where=where,
        next_step="Check that this address is an OPA and not something before it",
    )
