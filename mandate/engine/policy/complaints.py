"""What OPA says of Rego that it refuses, as `BadPolicy`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ..errors import BadPolicy
from ..nearest import advice
from .capabilities import REFUSED
from .command import Completed
from .faults import together
from .sources import Sources

_PLACE = re.compile(r"(?P<file>[^\s:]+\.rego):(?P<row>[0-9]+): (?:(?P<code>rego_\w+): )?(?P<message>.+)")
_UNDEFINED = re.compile(r"undefined function (?P<name>\S+)")
_NEXT_STEP = "Correct the policy"
_NEXT_STEPS: Mapping[re.Pattern[str], str] = {
    re.compile(pattern): next_step
    for pattern, next_step in {
        r"unexpected|expected|illegal|non-terminated": "Correct the syntax, there or in the line above",
        r"is recursive": "Break the circle: one of them must do without the others",
        r"^conflicting rules? .*data path": "Give the rule another name: the compiler fills this one",
        r"^conflicting rules": "Give one of them another name: a name is one value, one set or one function",
        r"^multiple default rules|redeclared": "Keep one of them",
        r"^undefined ref": "Correct the name",
        r"^undefined function": "Correct the name, or import the package that defines it",
        r"^var .* is unsafe": "Define it, import it, or correct its name",
        r" unused$": "Remove it, or use it",
    }.items()
}
"""By what the message says; the first that matches. (OPA's codes are too few to tell these apart.)"""


def accepted(ended: Completed, sources: Sources, *statuses: int) -> Completed:
    """The command as it ended, if it ended with 0 or one of these statuses; otherwise `BadPolicy`."""
    if ended.status not in (0, *statuses):
        raise refusal(ended, sources)
    return ended


def refusal(ended: Completed, sources: Sources) -> BadPolicy:
    """The error of an `opa` command that ended badly, with the file and line that OPA names."""
    if faults := [_error(fault, sources) for fault in _distinct(_json_errors(ended))]:
        return together(faults)
    complaint = ended.complaint
    if (match := _PLACE.search(complaint)) is not None:
        where = f"{sources.label(match['file'].removeprefix('./'))}:{match['row']}"
        what = _sentence(match["message"], match["code"] or "")
        return BadPolicy(what, where=where, next_step=_advice(match["message"]))
    return BadPolicy(_sentence(complaint or "OPA refused it without a reason"), next_step=_NEXT_STEP)


def _json_errors(ended: Completed) -> list[dict[str, Any]]:
    for output in (ended.stdout, ended.stderr):
        try:
            errors = json.loads(output)["errors"]
        except (ValueError, KeyError, TypeError):
            continue
        if isinstance(errors, list):
            return [error for error in errors if isinstance(error, dict)]
    return []


def _distinct(faults: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Each fault once: OPA tells a circle from each of its rules, and a broken line in several ways."""
    told: set[object] = set()
    for number, fault in enumerate(faults):
        message = str(fault.get("message", ""))
        identity: object
        if " is recursive: " in message:
            identity = frozenset(message.partition(" is recursive: ")[2].split(" -> "))
        elif fault.get("code") == "rego_parse_error":
            location = fault.get("location") or {}
            identity = (location.get("file"), location.get("row"))
        else:
            identity = number
        if identity not in told and (number == 0 or fault.get("location")):
            told.add(identity)
            yield fault


def _error(fault: dict[str, Any], sources: Sources) -> BadPolicy:
    message = str(fault.get("message", ""))
    undefined = _UNDEFINED.fullmatch(message)
    if undefined is not None and (why := REFUSED.get(undefined["name"])) is not None:
        return BadPolicy(
            f"policies may not call {undefined['name']} ({why})",
            where=_where(fault, sources),
            next_step="Remove the call",
        )
    details = fault.get("details")
    fields = details.get("oneOf") if isinstance(details, dict) else None
    return BadPolicy(
        _sentence(message, str(fault.get("code", ""))),
        where=_where(fault, sources),
        next_step=advice(message.rpartition(".")[2], fields) if fields else _advice(message),
    )


def _advice(message: str) -> str:
    return next((step for pattern, step in _NEXT_STEPS.items() if pattern.search(message)), _NEXT_STEP)


def _where(fault: dict[str, Any], sources: Sources) -> str:
    location = fault.get("location") or {}
    file = str(location.get("file", "")).removeprefix("./")
    return f"{sources.label(file)}:{location.get('row', 1)}" if file else ""


def _sentence(message: str, code: str = "") -> str:
    """One line without a full stop and without control characters."""
    line = " ".join(message.split()).rstrip(".")
    printable = "".join(
        character if character.isprintable() else ascii(character)[1:-1] for character in line
    )
    return f"{printable} ({code})" if code else printable
