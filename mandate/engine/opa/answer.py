"""The body of OPA's answer, read without trust."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NoReturn

from mandate.engine.errors import NotAnAnswer

from .said import quoted

_LARGEST_INTEGER = 2**53 - 1
_LONGEST_NUMBER = 1000
"""Characters. What OPA computes with has a few dozen digits."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What OPA said: a result, and who says so. Whether it is a decision is for the judge to find out."""

    result: Mapping[str, Any]
    opa_version: str | None
    """As in `provenance`; `None` if it was not given."""
    revisions: Mapping[str, str]
    """Bundle name → revision."""
    nanoseconds: Mapping[str, int]
    """OPA's own timers, such as `timer_rego_query_eval_ns`."""


class _NotStrict(ValueError):
    """JSON that two readers could understand differently, or that has no canonical form."""


def parse(body: bytes, where: str) -> Answer:
    """The answer in a response's body; `NotAnAnswer` if it is not of the form of OPA's data API."""
    try:
        document = _strict(body)
    except (ValueError, RecursionError) as error:
        raise _not(f"{error or 'nested too deeply'} in {quoted(body)}", where) from error
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
        nanoseconds=MappingProxyType(_timers(document.get("metrics"))),
    )


def _strict(body: bytes) -> Any:
    text = body.decode("utf-8")
    document = json.loads(
        text,
        object_pairs_hook=_without_duplicates,
        parse_constant=_no_constant,
        parse_float=_finite,
        parse_int=_exact,
    )
    if "\\ud" in text or "\\uD" in text:
        # JSON can spell half a surrogate pair; UTF-8 cannot, so such a string could not be recorded.
        json.dumps(document, ensure_ascii=False).encode("utf-8")
    return document


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _NotStrict("a key twice")
    return members


def _no_constant(_name: str) -> NoReturn:
    raise _NotStrict("a number that is not finite")


def _finite(digits: str) -> float:
    if len(digits) > _LONGEST_NUMBER or not math.isfinite(number := float(digits)):
        raise _NotStrict("a number that is not a finite double")
    return number


def _exact(digits: str) -> int:
    # 16 digits hold every integer that a double holds exactly; int() of a million digits takes minutes.
    if len(digits) > len("-9007199254740991") or abs(number := int(digits)) > _LARGEST_INTEGER:
        raise _NotStrict("an integer that a double does not hold")
    return number


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


def _timers(metrics: Any) -> dict[str, int]:
    """OPA's timers. Nothing is decided by them, so what is of another form is left out."""
    if not isinstance(metrics, dict):
        return {}
    return {
        name: value
        for name, value in metrics.items()
        if name.startswith("timer_") and name.endswith("_ns") and type(value) is int
    }


def _not(what: str, where: str) -> NotAnAnswer:
    return NotAnAnswer(
        f"OPA's answer cannot be read: {what}",
        where=where,
        next_step="Check that this address is an OPA and not something before it",
    )
