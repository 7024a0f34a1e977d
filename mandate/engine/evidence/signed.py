"""A recorded decision as the JSON that was signed.

`reading` gives an entry back as today's values. Whoever judges it again needs it as it was: an input that
today's `Input` would write with one field more is no longer the input that was judged, and years later the
shapes have changed. So nothing here is read through a model. What is given back is proven by the signature
and by the digests in the statement, and by nothing else.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic_core import from_json

from ..digests import canonical, sha256
from ..errors import BadInput, NotRecorded
from . import envelope as dsse
from . import predicates, statement
from .key_status import NOTHING_SAID, KeyStatus
from .ledger import Store, Stored
from .predicates.decision import DECISION_TYPE
from .public_keys import PublicKey


@dataclass(frozen=True, slots=True)
class Signed:
    """A decision, word for word."""

    index: int
    id: str
    recorded_at: str
    """RFC 3339 in UTC with milliseconds."""
    outcome: str
    decision: Mapping[str, Any]
    decision_sha256: str
    """Over the canonical JSON of `decision`."""
    document: Mapping[str, Any]
    """The input."""
    question: bytes
    """The input's canonical JSON: byte for byte what OPA was asked about."""
    revision: str
    """Of the policies that judged."""
    bundle_sha256: str
    opa_version: str | None
    """`None` if no OPA answered, or its answer did not count."""
    mandate_version: str


def read(
    stored: Stored, store: Store, keys: Mapping[str, PublicKey], status: KeyStatus = NOTHING_SAID
) -> Signed | None:
    """The decision in the entry; `None` if it is an entry of another kind. `NotRecorded` if it is damaged.

    `status`: what the ledger says of its keys, see `key_watch`.
    """
    try:
        return _signed(stored, store.origin, keys, status)
    except BadInput as error:
        raise NotRecorded(
            f"the entry is not what was recorded: {error.what}",
            where=f"{store.location}, entry {stored.index}",
            next_step="Run `mandate ledger verify`, and keep a copy of the ledger as it is",
        ) from error


def _signed(stored: Stored, origin: str, keys: Mapping[str, PublicKey], status: KeyStatus) -> Signed | None:
    if stored.envelope is None:
        raise BadInput("its envelope is gone")
    if hashlib.sha256(stored.envelope).digest() != stored.leaf:
        raise BadInput("its envelope does not have the digest that is stored as its leaf")
    envelope = dsse.parse(stored.envelope)
    if _is_personal(stored.kind, envelope.payload):
        return None
    dsse.verify(envelope, keys)
    for wrong in status.not_entitled(stored.index, (made.keyid for made in envelope.signatures)):
        raise BadInput(wrong)
    try:
        stated = _json(envelope.payload)
        if stated["predicateType"] != stored.kind:
            raise BadInput("its column kind does not say what is signed")
        if stated["predicateType"] != DECISION_TYPE:
            return None
        return _decision(stored, envelope.payload, stated["predicate"], origin)
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
        raise BadInput("the statement has another shape than a decision's") from error


def _is_personal(kind: str, payload: bytes) -> bool:
    """Whether a person signed it, whose key nobody needs here: whatever it says, it is no decision."""
    known = predicates.known(kind)
    return known is not None and known.PERSONAL and statement.parse(payload).get("predicateType") == kind


def _json(payload: bytes) -> Any:
    """The JSON that was signed. This is half of the work of reading an entry, and pydantic does it fast."""
    try:
        return from_json(payload, allow_inf_nan=False)
    except ValueError:
        # It takes less than the one that wrote ledgers always had: say, what is nested hundreds of times.
        return json.loads(payload)


def _decision(stored: Stored, payload: bytes, predicate: Mapping[str, Any], origin: str) -> Signed:
    if predicate["ledger"]["origin"] != origin:
        raise BadInput("it was made for another ledger")
    columns = (stored.id, stored.columns.outcome, stored.recorded_at, stored.columns.subject)
    uri = predicate["input"]["subject"]["uri"]
    if columns != (predicate["id"], predicate["outcome"], predicate["recordedAt"], uri):
        raise BadInput("its columns do not say what is signed")
    if predicate["outcome"] != predicate["decision"]["outcome"]:
        raise BadInput("the outcome is not the decision's")
    _canonical(payload, "decision", b'"predicate":{"decision":', predicate["decisionSha256"])
    return Signed(
        index=stored.index,
        id=predicate["id"],
        recorded_at=predicate["recordedAt"],
        outcome=predicate["outcome"],
        decision=predicate["decision"],
        decision_sha256=predicate["decisionSha256"],
        document=predicate["input"],
        question=_canonical(
            payload, "input", b'"id":"%b","input":' % predicate["id"].encode(), predicate["inputSha256"]
        ),
        revision=predicate["policy"]["revision"],
        bundle_sha256=predicate["policy"]["bundleSha256"],
        opa_version=predicate["opa"]["version"],
        mandate_version=predicate["mandate"]["version"],
    )


def _canonical(payload: bytes, name: str, before: bytes, digest: str) -> bytes:
    """The canonical JSON of a member of the predicate, which has the digest that is stated.

    It stands in the payload as it was digested, and is cut out where `before` leads to it: to write it anew
    takes ten times as long. The digest tells whether the cut was right.
    """
    start = payload.find(before) + len(before)
    end = payload.find(b',"%bSha256":"%b"' % (name.encode(), digest.encode()), start)
    if sha256(payload[start:end]) == digest:
        return payload[start:end]
    written = canonical(statement.parse(payload)["predicate"][name])
    if sha256(written) != digest:
        raise BadInput(f"the {name} does not have the digest that is stated")
    return written
