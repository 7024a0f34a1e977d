"""What OPA says of Rego that it refuses, as `BadPolicy`."""

from __future__ import annotations

import json
import re
from typing import Any

from ..errors import BadPolicy
from .command import Completed
from .sources import Sources

_PLACE = re.compile(r"(?P<file>[^\s:]+\.rego):(?P<row>[0-9]+): (?P<message>.+)", re.DOTALL)
_NEXT_STEP = "Correct the policy"
_OTHERS_NAMED = 5


def accepted(ended: Completed, sources: Sources, *statuses: int) -> Completed:
    """The command as it ended, if it ended with 0 or one of these statuses; otherwise `BadPolicy`."""
    if ended.status not in (0, *statuses):
        raise refusal(ended, sources)
    return ended


def refusal(ended: Completed, sources: Sources) -> BadPolicy:
    """The error of an `opa` command that ended badly, with the file and line that OPA names."""
    if faults := _json_errors(ended):
        places = [_where(fault, sources) for fault in faults]
        what = _sentence(str(faults[0].get("message", "")), str(faults[0].get("code", "")))
        others = list(dict.fromkeys(place for place in places[1:] if place and place != places[0]))
        if others:
            named = ", ".join(others[:_OTHERS_NAMED])
            more = f" and {len(others) - _OTHERS_NAMED} more" if len(others) > _OTHERS_NAMED else ""
            what = f"{what} (and also at {named}{more})"
        return BadPolicy(what, where=places[0], next_step=_NEXT_STEP)
    complaint = ended.complaint
    if (match := _PLACE.search(complaint)) is not None:
        where = f"{sources.label(match['file'].removeprefix('./'))}:{match['row']}"
        return BadPolicy(_sentence(match["message"]), where=where, next_step=_NEXT_STEP)
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
