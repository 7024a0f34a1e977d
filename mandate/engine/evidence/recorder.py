"""Records what happened: sign, verify, append, and only then return."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import uuid_utils

from ... import __version__
from ..decision import Judgement
from ..digests import sha256
from ..errors import BadInput, BadRequest, NotRecorded
from ..input.document import Input
from . import envelope as dsse
from . import reading, statement
from .key_watch import KeyWatch
from .keys import Signer
from .ledger import Entry, Outdated, Place, Store
from .predicates.base import LedgerUsed, MandateUsed, P, Predicate, rfc3339_milliseconds
from .predicates.decision import (
    DecisionPredicate,
    OpaUsed,
    PolicyUsed,
    RequestKey,
    WhatIfPredicate,
)
from .public_keys import PublicKey, keyring
from .receipt import Receipt, Record

_TRIES = 3
_CLOCKS_DIFFER = timedelta(minutes=5)
"""By how much the clocks of machines that share a ledger may differ, as the gate has it."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class AlreadyRecorded(NotRecorded):
    """What may stand in the ledger once stands there already."""

    def __init__(self, index: int, *, where: str) -> None:
        super().__init__(f"entry {index} says it, or something else in its place, already", where=where)
        self.index = index
        """Of that entry."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What every predicate says of its recording."""

    id: str
    recorded_at: datetime
    """To the millisecond: a UUIDv7 has no more."""
    origin: str

    @classmethod
    def of(cls, time: datetime, origin: str) -> Stamp:
        """A new id at this time. `OverflowError` for a time before 1970."""
        milliseconds = (time - _EPOCH) // timedelta(milliseconds=1)
        new = str(uuid_utils.uuid7(nanoseconds=milliseconds * 1_000_000))
        return cls(new, _EPOCH + timedelta(milliseconds=milliseconds), origin)

    @property
    def fields(self) -> dict[str, Any]:
        """The fields of `predicates.base.Predicate`."""
        return {
            "id": self.id,
            "recordedAt": self.recorded_at,
            "mandate": MandateUsed(version=__version__),
            "ledger": LedgerUsed(origin=self.origin),
        }


def milliseconds_of(uuid_v7: str) -> int:
    """The time with which an id begins, since 1970."""
    return int(uuid_v7.replace("-", "")[:12], 16)


class Recorder:
    """Keeps what happened in one ledger, signed by one key.

    `keys`: whose signatures count where something that is on record already is read back. `head_key`: the
    key that signs the heads, if it is another. Whatever is recorded raises `BadConfiguration` if one of the
    keys was rotated or revoked.
    """

    def __init__(
        self,
        store: Store,
        signer: Signer,
        clock: Callable[[], datetime],
        keys: Mapping[str, PublicKey] | None = None,
        *,
        head_key: PublicKey | None = None,
    ) -> None:
        self._store = store
        self._signer = signer
        self._clock = clock
        self._keys = {**(keys or {}), **keyring(signer.public_key)}
        self._head_key = head_key or signer.public_key
        self._watch = KeyWatch(store, self._keys)

    def entitle(self) -> None:
        """Return if the keys may sign what comes next. `BadConfiguration` if one was rotated or revoked."""
        for keyid in (self._signer.public_key.keyid, self._head_key.keyid):
            self._watch.entitle(keyid)

    def ready(self) -> None:
        """Return if the ledger takes entries now; `NotRecorded` if not."""
        self._store.ready()

    def latest(self) -> datetime:
        """The latest time on record. `NotRecorded` if nobody can say."""
        return self._store.latest()

    def has(self, request_key: str) -> bool:
        """Whether what may stand in the ledger once under this key stands there. `NotRecorded` if nobody can
        say."""
        return self._store.requested(request_key) is not None

    def answered(self, request: RequestKey) -> Record | None:
        """The decision that answers this request already. `BadRequest` if its key was used for another one.

        `NotRecorded` if nobody can say.
        """
        stored = self._store.requested(request.key)
        if stored is None:
            return None
        record, asked = reading.read_with_request(stored, self._store, self._keys)
        if asked != request:
            raise BadRequest(
                f"{ascii(request.key)[:100]} is the request key of another question, in entry {stored.index}",
                where=self._store.location,
                next_step="Give each question a request key of its own",
            )
        return record

    def record(
        self,
        document: Input,
        judgement: Judgement,
        *,
        request: RequestKey | None = None,
        what_if: bool = False,
    ) -> Record:
        """Sign the decision on `document` and store it durably, then return.

        `NotRecorded` if that did not happen; then there must be no answer but *undecided*. If the request
        was answered meanwhile, the record is that answer.
        """
        kind = WhatIfPredicate if what_if else DecisionPredicate

        def decided(stamp: Stamp) -> DecisionPredicate:
            return kind(
                **stamp.fields,
                outcome=judgement.decision.outcome,
                decision=judgement.decision,
                decisionSha256=sha256(judgement.decision.canonical),
                input=document,
                inputSha256=sha256(document.canonical),
                policy=PolicyUsed(
                    revision=judgement.policy.revision, bundleSha256=judgement.policy.bundle_sha256
                ),
                opa=OpaUsed(version=judgement.opa_version),
                request=request,
            )

        entry, envelope, place = self._recorded(decided)
        if place.id != entry.id and request is not None:
            answer = self.answered(request)
            if answer is None:
                raise NotRecorded(
                    "the request was answered, and the answer is not there", where=self._store.location
                )
            return answer
        return Record(
            receipt=self._receipt(entry, envelope, place.index),
            document=document,
            judgement=judgement,
            mandate_version=__version__,
            envelope=envelope,
            what_if=what_if,
        )

    def event(self, kind: type[Predicate], **said: Any) -> Receipt:
        """Record something else that happened, signed by the ledger's key: `said` are the predicate's own
        fields. `NotRecorded` as `record` raises it; `AlreadyRecorded` if it may stand once and stands there.
        """
        entry, envelope, place = self._recorded(lambda stamp: kind(**stamp.fields, **said))
        if place.id != entry.id:
            raise AlreadyRecorded(place.index, where=self._store.location)
        return self._receipt(entry, envelope, place.index)

    def admit(self, envelope: dsse.Envelope, keys: Mapping[str, PublicKey]) -> Receipt:
        """Record what a person signed; `keys` are those whose signatures count.

        `BadInput` if it is not what a person may sign, was made for another ledger, or is not of now: its id
        is that of a time, and what seems to come from the future would hold back all that is decided until
        then. It may come again: then the receipt is that of the entry that is there.
        """
        dsse.verify(envelope, keys)
        stated = statement.read(envelope.payload)
        predicate = stated.predicate
        for wrong in statement.contradictions(stated, statement.parse(envelope.payload)):
            raise BadInput(wrong)
        if not predicate.PERSONAL:
            raise BadInput(f"nobody but the ledger may say what is of the type {predicate.TYPE}")
        if predicate.ledger.origin != self._store.origin:
            raise BadInput(f"it was made for another ledger, {ascii(predicate.ledger.origin)[:100]}")
        if predicate.recordedAt > self._clock() + _CLOCKS_DIFFER:
            raise BadInput(f"it is of {rfc3339_milliseconds(predicate.recordedAt)}, which is yet to come")
        if milliseconds_of(predicate.id) != (predicate.recordedAt - _EPOCH) // timedelta(milliseconds=1):
            raise BadInput("its id is not of the time at which it says that it was signed")
        entry = _entry(predicate, envelope.to_bytes())
        signers = [made.keyid for made in envelope.signatures]
        for there in self._store.starting_with(predicate.id, limit=1):
            if there.leaf != entry.leaf:
                raise BadInput("something else is on record under its id")
            return self._receipt(entry, envelope, there.index)
        return self._receipt(entry, envelope, self._append(entry, signers).index)

    def _recorded(self, stated: Callable[[Stamp], P]) -> tuple[Entry, dsse.Envelope, Place]:
        self.entitle()  # before anything is signed
        try:
            stamp = Stamp.of(self._clock(), self._store.origin)
            predicate = stated(stamp)
            envelope = dsse.seal(statement.payload(statement.state(predicate)), self._signer)
            entry = _entry(predicate, envelope.to_bytes())
        except (ValueError, OverflowError, RecursionError) as error:
            raise NotRecorded(
                f"this cannot be written down exactly ({type(error).__name__})",
                where=self._store.location,
                next_step="Look for a number beyond 2**53, text that is not Unicode, or a clock before 1970",
            ) from error
        self._verify(entry.envelope)
        return entry, envelope, self._append(entry, [self._signer.public_key.keyid])

    def _append(self, entry: Entry, signers: Sequence[str]) -> Place:
        """Store the entry, if the keys that signed it and the one that signs the head still may."""
        for _ in range(_TRIES):
            known = self._watch.known
            for keyid in (*signers, self._head_key.keyid):
                known.entitle(keyid)
            try:
                return self._store.append(replace(entry, premise=known.premise))
            except Outdated:
                self._watch.look()
        raise NotRecorded(
            "keys are rotated or revoked faster than anything can be recorded",
            where=self._store.location,
            next_step="See `mandate key list`",
        )

    def _verify(self, data: bytes) -> None:
        """Read back and verify the envelope as a stranger would: what is stored can be proven."""
        try:
            dsse.verify(dsse.parse(data), keyring(self._signer.public_key))
        except BadInput as error:
            raise NotRecorded(
                f"the new envelope does not verify: {error.what}",
                where=self._store.location,
                next_step="Check the signing key with `mandate doctor`",
            ) from error

    def _receipt(self, entry: Entry, envelope: dsse.Envelope, index: int) -> Receipt:
        return Receipt(
            id=entry.id,
            index=index,
            recorded_at=datetime.fromisoformat(entry.recorded_at),
            leaf=entry.leaf.hex(),
            keyid=envelope.signatures[0].keyid,
            origin=self._store.origin,
        )


def _entry(predicate: Predicate, envelope: bytes) -> Entry:
    return Entry(
        id=predicate.id,
        kind=predicate.TYPE,
        recorded_at=rfc3339_milliseconds(predicate.recordedAt),
        columns=predicate.columns(),
        envelope=envelope,
    )
