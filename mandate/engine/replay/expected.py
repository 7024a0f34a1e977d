"""The flips that somebody wants: a YAML file beside the change of policies, reviewed with it.

    - decision: 01a20f85-3e79-7a4d-8d97-f097345b74db
      reason: The bound was meant for portfolios above 10,000 rows, see RISK-12

JSON is YAML, so a program may write it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

from ..errors import BadRequest
from ..strict_yaml import Document, load_file

_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_KEYS = ("decision", "reason")


def load(path: Path) -> Mapping[str, str]:
    """The reason for each decision, by its id. `BadRequest` with the line for what is not such a list."""
    document = load_file(path, BadRequest)
    entries = document.value
    if entries is None:
        return {}
    if not isinstance(entries, list):
        _wrong(document, (), "it is not a list of decisions")
    reasons: dict[str, str] = {}
    for number, entry in enumerate(entries):
        if not isinstance(entry, dict) or set(entry) != set(_KEYS):
            _wrong(document, (number,), "an entry does not have exactly the keys decision and reason")
        decision, reason = entry["decision"], entry["reason"]
        if not isinstance(decision, str) or not _ID.fullmatch(decision):
            _wrong(document, (number, "decision"), "it is not the whole id of a decision")
        if not isinstance(reason, str) or not reason.strip():
            _wrong(document, (number, "reason"), "it gives no reason")
        if decision in reasons:
            _wrong(document, (number, "decision"), f"{decision} stands here twice")
        reasons[decision] = reason
    return reasons


def _wrong(document: Document, place: tuple[str | int, ...], what: str) -> NoReturn:
    raise BadRequest(
        what,
        where=document.where(place),
        next_step="Write `- decision: <id>` and `reason: <why it should be allowed now>` for each",
    )
