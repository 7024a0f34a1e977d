"""Records a decision: sign, verify, append, and only then return."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import uuid_utils

from ..decision import Judgement
from ..errors import BadInput, NotRecorded
from ..input.base import Frozen, Sha256
from ..input.document import Input
from . import envelope as dsse
from .keys import Signer
from .ledger import Entry, Store
from .predicate import DECISION_TYPE, RecordedAt, rfc3339_milliseconds
from .public_keys import keyring
from .statement import payload, state

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Receipt(Frozen):
    """The proof that a decision is on record: where, and signed by whom."""

    id: str
    """The decision's id, a UUIDv7 that begins with `recorded_at`."""
    index: int
    """Its place in the ledger, from 0."""
    recorded_at: RecordedAt
    leaf: Sha256
    """SHA-256 over the envelope as stored."""
    keyid: str
    """The SSH fingerprint of the key that signed it."""
    origin: str
    """The ledger's name."""


class Recorder:
    """Keeps decisions in one ledger, signed by one key."""

    def __init__(self, store: Store, signer: Signer, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._signer = signer
        self._clock = clock

    def latest(self) -> datetime:
        """The latest time on record. `NotRecorded` if nobody can say."""
        return self._store.latest()

    def record(self, document: Input, judgement: Judgement) -> Receipt:
        """Sign the decision on `document` and store it durably, then return.

        `NotRecorded` if that did not happen; then there must be no answer but *undecided*.
        """
        milliseconds = (self._clock() - _EPOCH) // timedelta(milliseconds=1)
        recorded_at = _EPOCH + timedelta(milliseconds=milliseconds)
        try:
            decision_id = str(uuid_utils.uuid7(nanoseconds=milliseconds * 1_000_000))
            signed = self._signed(document, judgement, decision_id, recorded_at)
        except (ValueError, OverflowError, RecursionError) as error:
            raise NotRecorded(
                f"the decision cannot be written down exactly ({type(error).__name__})",
                where=self._store.location,
                next_step="Look for a number beyond 2**53, text that is not Unicode, or a clock before 1970",
            ) from error
        entry = Entry(
            id=decision_id,
            kind=DECISION_TYPE,
            subject=document.subject.uri,
            outcome=judgement.decision.outcome.value,
            recorded_at=rfc3339_milliseconds(recorded_at),
            envelope=signed,
        )
        index = self._store.append(entry)
        return Receipt(
            id=decision_id,
            index=index,
            recorded_at=recorded_at,
            leaf=entry.leaf.hex(),
            keyid=self._signer.public_key.keyid,
            origin=self._store.origin,
        )

    def _signed(
        self, document: Input, judgement: Judgement, decision_id: str, recorded_at: datetime
    ) -> bytes:
        """The envelope's bytes, read back and verified as a stranger would: what is stored can be proven."""
        statement = state(
            document, judgement, decision_id=decision_id, recorded_at=recorded_at, origin=self._store.origin
        )
        data = dsse.seal(payload(statement), self._signer).to_bytes()
        try:
            dsse.verify(dsse.parse(data), keyring(self._signer.public_key))
        except BadInput as error:
            raise NotRecorded(
                f"the new envelope does not verify: {error.what}",
                where=self._store.location,
                next_step="Check the signing key with `mandate doctor`",
            ) from error
        return data
