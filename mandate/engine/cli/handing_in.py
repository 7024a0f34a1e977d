"""What somebody signed here, recorded by a service."""

from __future__ import annotations

from ..digests import sha256
from ..evidence import statement
from ..evidence.envelope import Envelope
from ..evidence.receipt import Receipt
from ..remote import records
from ..remote.client import Service, ServiceUnavailable


def hand_in(service: Service, route: str, envelope: Envelope) -> Receipt:
    """Where it is on record now. `NotBelieved` if the service says something else than it must."""
    predicate = statement.read(envelope.payload).predicate
    expected = Receipt(
        id=predicate.id,
        index=0,
        recorded_at=predicate.recordedAt,
        leaf=sha256(envelope.to_bytes()),
        keyid=envelope.signatures[0].keyid,
        origin=predicate.ledger.origin,
    )
    place = expected.model_dump(mode="json", exclude={"index"})
    try:
        index = records.hand_in(service, route, envelope.to_json(), place)
    except ServiceUnavailable as error:
        raise ServiceUnavailable(
            f"{error.what}; it is signed, and may be on record already",
            where=error.where,
            next_step="Run it again: what somebody says twice counts once",
        ) from error
    return expected.model_copy(update={"index": index})
