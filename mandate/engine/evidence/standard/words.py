"""What both predicate types are given: who verified, by which policies, and what was allowed."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from ..receipt import Record

_VERIFIER = "https://mandate.dev/verifier/v1/"
"""A new number is a verifier that goes about it in another way."""
_POLICIES = "https://mandate.dev/policies/"


def verifier(record: Record) -> str:
    """The verifier's id: Mandate, as the organisation with this ledger runs it. Whoever trusts one does not
    therefore trust another."""
    return _VERIFIER + quote(record.receipt.origin)


def policy(record: Record) -> dict[str, Any]:
    """The policies as an in-toto ResourceDescriptor: their revision, and the digest of their bundle."""
    used = record.judgement.policy
    return {"uri": _POLICIES + quote(used.revision, safe=":"), "digest": {"sha256": used.bundle_sha256}}


def allowed(record: Record) -> str:
    """What an allow allows, and no other one: the action and the environment, spelt as they are."""
    request = record.document.request
    return f"MANDATE_ALLOWED_{request.action.value}_{request.environment}"
