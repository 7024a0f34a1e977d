"""`waivers/*.yaml`: violations that somebody answers for, for a time. Each file is a list of

    - rule: drift.psi:income             # a rule, or one term of it
      subject: {name: credit, version: "3"}   # or {sha256: <the artifact's digest>}
      reason: The branch in Salem was closed for a month
      reference: MRM-120                 # the record of the decision, in your own system
      approver: rita@bank.example
      effective_on: 2026-11-20           # an instant in UTC, or a day: its first instant
      expires: 2026-12-20                # the first instant at which it no longer counts

There is none without an expiry, and none longer than `waivers.longest_days`. Whether one counts is for Rego
to say, by the time of the request.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from ..errors import BadPolicy
from ..nearest import advice
from ..strict_yaml import Document, Place
from .faults import Faults
from .layers import leaves

FOLDER = "waivers/"
_KEYS = ("rule", "subject", "reason", "reference", "approver", "effective_on", "expires")
_TEXTS = ("reason", "reference", "approver")
_SUBJECTS = ({"name", "version"}, {"sha256"})
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?Z")
_DIGEST = re.compile(r"[0-9a-f]{64}")


def longest(thresholds: Mapping[str, Any]) -> int | None:
    """The most days that a waiver may last anywhere; `None` where no policy says so."""
    setting = thresholds.get("waivers", {}).get("longest_days")
    return max((leaf["value"] for _, leaf in leaves(setting)), default=None) if setting else None


def compile_waivers(
    documents: Sequence[Document], catalogue: Mapping[str, Mapping[str, Any]], longest_days: int | None
) -> list[dict[str, Any]]:
    """`data.mandate.waivers`, in the order in which they are written; `id` is the place of each.

    `BadPolicy` for one that could never count: of a rule that is not there or cannot be waived, without an
    end, or too long.
    """
    waivers: list[dict[str, Any]] = []
    for document in documents:
        written = [] if document.value is None else document.value
        if not isinstance(written, list):
            raise BadPolicy(
                "it is not a list of waivers", where=document.where(), next_step="Begin each waiver with -"
            )
        with Faults() as faults:
            for at, item in enumerate(written):
                with faults.kept():
                    waivers.append(_waiver(document, (at,), item, catalogue, longest_days))
    return waivers


def _waiver(
    document: Document,
    place: Place,
    item: Any,
    catalogue: Mapping[str, Mapping[str, Any]],
    longest_days: int | None,
) -> dict[str, Any]:
    where = document.where(place)
    if not isinstance(item, dict):
        raise BadPolicy("it is not a waiver", where=where, next_step=f"Set {', '.join(_KEYS)}")
    for key in item:
        if key not in _KEYS:
            raise BadPolicy(
                f"a waiver has no {key!a}", where=document.where((*place, key)), next_step=advice(key, _KEYS)
            )
    for key in _KEYS:
        if item.get(key) is None:
            raise BadPolicy(f"the waiver has no {key}", where=where, next_step=f"Add {key}")
    for key in _TEXTS:
        if not isinstance(item[key], str) or not item[key].strip():
            raise BadPolicy(
                f"{key} of the waiver is not text",
                where=document.where((*place, key)),
                next_step="Write text",
            )
    _check_rule(item["rule"], document.where((*place, "rule")), catalogue)
    begins = _instant(item["effective_on"], document.where((*place, "effective_on")))
    ends = _instant(item["expires"], document.where((*place, "expires")))
    _check_span(begins, ends, document.where((*place, "expires")), longest_days)
    return {
        **{key: item[key] for key in ("rule", *_TEXTS)},
        "subject": _subject(item["subject"], document.where((*place, "subject"))),
        "effective_on": begins,
        "expires": ends,
        "id": where,
    }


def _check_rule(target: Any, where: str, catalogue: Mapping[str, Mapping[str, Any]]) -> None:
    rule, colon, term = target.partition(":") if isinstance(target, str) else ("", "", "")
    if rule not in catalogue:
        raise BadPolicy(
            f"the waiver is for the rule {target!a}, which does not exist",
            where=where,
            next_step=advice(rule, catalogue),
        )
    if colon and not term:
        raise BadPolicy("the waiver names no term", where=where, next_step=f"Write {rule}, or {rule}:term")
    if not catalogue[rule]["waivable"]:
        raise BadPolicy(
            f"the rule {rule} cannot be waived",
            where=where,
            next_step="Remove the waiver, and satisfy the rule",
        )


def _subject(value: Any, where: str) -> dict[str, str]:
    if not isinstance(value, dict) or set(value) not in _SUBJECTS:
        raise BadPolicy(
            "the waiver's subject is neither a name and version nor a digest",
            where=where,
            next_step='Write {name: credit, version: "3"} or {sha256: …}',
        )
    for key, text in value.items():
        if not isinstance(text, str) or not text:
            raise BadPolicy(
                f"{key} of the waiver's subject is not text", where=where, next_step="Put it in quotes"
            )
    if "sha256" in value and not _DIGEST.fullmatch(value["sha256"]):
        raise BadPolicy(
            "the digest of the waiver's subject is not 64 hexadecimal digits in lower case",
            where=where,
            next_step="Copy it from a decision about the artifact",
        )
    return dict(value)


def _instant(value: Any, where: str) -> str:
    """RFC 3339 in UTC."""
    text = f"{value}T00:00:00Z" if isinstance(value, str) and _DAY.fullmatch(value) else value
    try:
        if isinstance(text, str) and _INSTANT.fullmatch(text):
            _time(text)
            return text
    except ValueError:
        pass
    raise BadPolicy(
        f"{value!a} is neither a day nor an instant in UTC",
        where=where,
        next_step="Write it as 2026-12-31 or 2026-12-31T09:00:00Z",
    )


def _time(instant: str) -> datetime:
    """The instant, without what is less than a second."""
    return datetime.fromisoformat(instant[:19]).replace(tzinfo=UTC)


def _check_span(begins: str, ends: str, where: str, longest_days: int | None) -> None:
    lasts = _time(ends) - _time(begins)
    if lasts <= timedelta(0):
        raise BadPolicy(
            "the waiver expires before it takes effect",
            where=where,
            next_step="Let expires be after effective_on",
        )
    if longest_days is None:
        raise BadPolicy(
            "nothing says how long a waiver may last",
            where=where,
            next_step="Set longest_days in thresholds/waivers.yaml",
        )
    if lasts > timedelta(days=longest_days):
        raise BadPolicy(
            f"the waiver lasts {lasts.days} days, and {longest_days} are the most that any may last",
            where=where,
            next_step="Let it expire earlier",
        )
