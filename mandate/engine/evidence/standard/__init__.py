"""A recorded allow or deny in the words that other tools know, one module a predicate type.

They say less than the decision, from which alone they are made, and so they point to it. They are not
recorded: whoever has the ledger and its key can make them at any time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ...decision import Outcome
from ...digests import canonical
from ...errors import BadRequest
from ..envelope import Envelope, seal
from ..keys import Signer
from ..predicates.base import STATEMENT_TYPE
from ..receipt import Record
from . import svr, vsa

KINDS: Mapping[str, tuple[str, Callable[[Record], dict[str, Any]]]] = {
    "vsa": (vsa.TYPE, vsa.predicate),
    "svr": (svr.TYPE, svr.predicate),
}
"""The predicate type of each kind, and what makes the predicate."""


def obstacle(record: Record) -> str | None:
    """Why these words cannot be used for the decision, one clause; `None` if they can."""
    if record.what_if:
        return "it only says what would be decided"
    if record.judgement.decision.outcome is Outcome.UNDECIDED:
        return "it is undecided, and these have words for an allow and a deny only"
    if record.document.subject.sha256 is None:
        return "its artifact has no digest, and these are about an artifact"
    return None


def attestation(kind: str, record: Record, signer: Signer) -> Envelope:
    """The decision as a signed attestation of this kind. `BadRequest` if it cannot be put so."""
    if (why := obstacle(record)) is not None:
        raise BadRequest(
            f"there is no {kind.upper()} of this decision: {why}",
            where=f"decision {record.receipt.id}",
            next_step="Give the decision itself: --type decision",
        )
    return seal(canonical(statement(kind, record)), signer)


def statement(kind: str, record: Record) -> dict[str, Any]:
    """The in-toto Statement of this kind about the model version that was judged."""
    type_, predicate = KINDS[kind]
    subject = record.document.subject
    return {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": subject.uri, "digest": {"sha256": subject.sha256}}],
        "predicateType": type_,
        "predicate": predicate(record),
    }
