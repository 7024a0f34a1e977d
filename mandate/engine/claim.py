"""Facts that somebody sends: a ready input document. It is a claim, and is judged as one."""

from __future__ import annotations

import codecs
import json
from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from . import strict_json
from .errors import BadInput
from .input import SECTIONS, Action, Input

_LIMIT = 16 << 20
_DEPTH = 64
_SHOWN = 5
_SCHEMA = "See schemas/input.v1.json"


class ClaimedFacts:
    """The document that a caller sent.

    What the caller may not say is replaced: the time, who asks, whether it is a what-if, the risk tier, and
    the origin of each fact, which is `reported` whatever the document says. What is asked stands outside of
    the document: one that is about something else is refused, or it would choose the rules that judge it.
    """

    def __init__(
        self,
        claim: dict[str, Any],
        *,
        where: str,
        requested_by: str,
        risk_tier_of: Callable[[str], str],
        action: Action,
        environment: str,
        what_if: bool = False,
        overriding: Collection[str] = (),
        sha256: str | None = None,
    ) -> None:
        """`claim` was parsed strictly, as `parse` does it, and `where` names it in errors; `action` and
        `environment` are what is asked. Those of the two that `overriding` names override the claim's own."""
        self.sha256 = sha256
        """Over the bytes that were sent, where somebody knows them."""
        self._claim = claim
        self._where = where
        self._requested_by = requested_by
        self._risk_tier_of = risk_tier_of
        self._asked = {"action": action.value, "environment": environment}
        self._what_if = what_if
        self._overriding = overriding

    def assemble(self, time: datetime) -> Input:
        """The document with all that the caller may not say replaced; `BadInput` if it does not fit."""
        claim = dict(self._claim)
        request = dict(_object(claim, "request", self._where))
        subject = dict(_object(claim, "subject", self._where))
        for name, asked in self._asked.items():
            if name not in self._overriding and request.get(name, asked) != asked:
                raise BadInput(
                    f"request.{name} is {str(request[name])[:80]!a}, and what is asked about is {asked}",
                    where=self._where,
                    next_step=f"Ask with --{name} (over HTTP: the field {name}) if that is what you mean",
                )
        claim["request"] = (
            request
            | self._asked
            | {
                "time": time.isoformat(),
                "requested_by": self._requested_by,
                "what_if": self._what_if,
            }
        )
        claim["subject"] = subject | {"risk_tier": self._risk_tier_of(str(subject.get("name")))}
        claim["collection"] = [
            _entry_as_reported(entry, self._requested_by) for entry in self._collection(claim)
        ]
        for section in SECTIONS:
            if section in claim:
                claim[section] = _reported(claim[section])
        try:
            return Input.model_validate_json(json.dumps(claim))
        except ValidationError as error:
            raise _invalid(error, self._where) from error

    def confirm(self, document: Input) -> None:
        """A document is what it is."""

    def _collection(self, claim: dict[str, Any]) -> list[Any]:
        collection = claim.get("collection", [])
        if not isinstance(collection, list):
            raise BadInput("collection must be a list", where=self._where, next_step=_SCHEMA)
        return collection


def as_reported(document: Input, by: str) -> Input:
    """The document as somebody's claim: each fact that it has is reported by them."""
    claim = document.model_dump(mode="json")
    for section in SECTIONS:
        claim[section] = _reported(claim[section])
    claim["collection"] = [_entry_as_reported(entry, by) for entry in claim["collection"]]
    return Input.model_validate_json(json.dumps(claim))


def _entry_as_reported(entry: Any, by: str) -> Any:
    """An entry of the collection: whether its facts are those of an earlier question is not the caller's to
    say, either."""
    if isinstance(entry, dict) and entry.get("status") == "collected":
        kept = {name: value for name, value in entry.items() if name != "reused"}
        return kept | {"origin": "reported", "reported_by": by}
    return entry


def parse(document: bytes, where: str) -> dict[str, Any]:
    """The claim in a document; `BadInput` for what is no JSON object that every reader understands alike."""
    if len(document) > _LIMIT:
        raise BadInput(
            f"the document has more than {_LIMIT >> 20} MiB",
            where=where,
            next_step="Send what was collected only",
        )
    try:
        # Numbers that are not finite are named by the model, so that the decision says which ones they were.
        parsed = strict_json.parse(document.removeprefix(codecs.BOM_UTF8), finite=False)
    except strict_json.NotStrict as error:
        raise BadInput(f"the document is not JSON: {error}", where=where, next_step="Correct it") from error
    if not isinstance(parsed, dict):
        raise BadInput("the document must be a JSON object", where=where, next_step=_SCHEMA)
    if strict_json.deeper_than(parsed, _DEPTH):
        raise BadInput(f"the document is nested deeper than {_DEPTH} levels", where=where, next_step=_SCHEMA)
    return parsed


def _object(claim: dict[str, Any], name: str, where: str) -> dict[str, Any]:
    value = claim.get(name, {})
    if not isinstance(value, dict):
        raise BadInput(f"{name} must be an object", where=where, next_step=_SCHEMA)
    return value


def _reported(value: Any) -> Any:
    """The same, with every figure's origin set to `reported`."""
    if isinstance(value, dict):
        return {key: "reported" if key == "origin" else _reported(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_reported(part) for part in value]
    return value


def _invalid(error: ValidationError, where: str) -> BadInput:
    """The first faults, with the path of each; never the value, which may be somebody's data."""
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    shown = "; ".join(
        f"{'.'.join(map(str, fault['loc'])) or 'document'}: {fault['msg']}" for fault in faults[:_SHOWN]
    )
    more = f"; and {len(faults) - _SHOWN} more" if len(faults) > _SHOWN else ""
    return BadInput(f"the document does not fit mandate/v1: {shown}{more}", where=where, next_step=_SCHEMA)
