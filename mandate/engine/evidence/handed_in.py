"""What people signed somewhere else, and somebody hands in: it is held to what they would hear before signing
here, and recorded."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from ..errors import BadInput, BadRequest
from . import envelope as dsse
from . import reading, statement
from .consenting import Entitled, Policies
from .consents import Consents, Log
from .entries import ProvenEntries
from .predicates.approval import ApprovalPredicate
from .predicates.base import AUTHORITY
from .predicates.personal import FindingsShown, PersonalPredicate
from .predicates.revocation import RevocationPredicate
from .predicates.waiver import WaiverPredicate
from .public_keys import Believed
from .receipt import Receipt, Record
from .recorder import Recorder
from .signatory import model_of


class HandedIn:
    """Admits envelopes to one ledger, under the policies in use."""

    def __init__(
        self,
        *,
        log: Log,
        keys: Believed,
        policies: Policies,
        recorder: Recorder,
        clock: Callable[[], datetime],
    ) -> None:
        self._log = log
        self._keys = keys
        self._policies = policies
        self._recorder = recorder
        self._clock = clock

    def admit(self, body: bytes, kind: str) -> Receipt:
        """Record what is of this kind (`approval`). `BadInput` if it is not what it must be, or cannot count.

        What is on record already is answered with its place, whatever the policies are by now.
        """
        envelope = dsse.parse(body)
        stated = statement.read(envelope.payload)
        predicate = stated.predicate
        if not isinstance(predicate, PersonalPredicate) or not predicate.TYPE.startswith(
            f"{AUTHORITY}{kind}/"
        ):
            raise BadInput(f"this is no {kind}, but {stated.predicateType}", where="body")
        keys = self._keys.of_person(*predicate.signer)
        if not self._is_there(predicate.id):
            self._refuse_other_policies(predicate)
            dsse.verify(envelope, keys)  # before anything is looked up for whoever says to have signed
            self._hold(predicate)
        return self._recorder.admit(envelope, keys)

    def _is_there(self, entry: str) -> bool:
        return any(self._log.starting_with(entry, limit=1))

    def _refuse_other_policies(self, predicate: PersonalPredicate) -> None:
        if predicate.policy.revision != self._policies.revision:
            raise BadInput(
                "it was signed under other policies than those in use",
                where="body",
                next_step="Look at the findings again, and sign anew",
            )

    def _hold(self, predicate: PersonalPredicate) -> None:
        """Return if it can count."""
        consents = Consents(self._log, self._keys)
        person = self._policies.people[predicate.by]
        who = Entitled(person, policies=self._policies, consents=consents, clock=self._clock)
        try:
            if isinstance(predicate, ApprovalPredicate):
                who.check_approval(self._shown(predicate, predicate.shown), predicate.role)
            elif isinstance(predicate, WaiverPredicate):
                record = self._shown(predicate, predicate.shown)
                who.check_waiver(record, predicate.rule, predicate.expires)
            elif isinstance(predicate, RevocationPredicate):
                entry = reading.entry(self._log, predicate.revoked.entry)
                standing = who.revocable(ProvenEntries(self._log, self._keys).predicate(entry))
                if (standing.kind, standing.model) != (predicate.revoked.kind, predicate.model):
                    raise BadInput("what it revokes is something else")
        except BadRequest as error:
            # Where it stands on the command line says nothing here.
            raise BadInput(error.what, where="body", next_step=error.next_step) from error

    def _shown(self, predicate: PersonalPredicate, shown: FindingsShown) -> Record:
        """The decision that the person looked at."""
        record = reading.find(self._log, shown.decision, self._keys)
        is_it = shown == FindingsShown.of(record.receipt.id, record.judgement.decision)
        if not is_it or model_of(record.document) != predicate.model:
            raise BadInput("the findings that were shown are not those of this decision")
        return record
