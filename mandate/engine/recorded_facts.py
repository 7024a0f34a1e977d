"""Facts that are on record: those of an earlier decision about the same artifact, to be judged again.

Nothing is collected. What was measured then is what is known now; the time, the question and whoever asks it
are new, so that today's policies judge it with today's clock.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime

from .decision import Outcome
from .errors import BadInput, UnknownSubject
from .evidence import envelope as dsse
from .evidence import reading
from .evidence.checks import examine
from .evidence.examinations import Examine
from .evidence.ledger import Stored
from .evidence.predicates.decision import DECISION_TYPE
from .evidence.public_keys import PublicKey
from .evidence.query import Query
from .evidence.standing import Ledger, ended
from .input import Action, Input, Origin, Request

_LOOKED_AT = 20
"""So many decisions, from the newest on: older facts would not be fresher."""


class RecordedFacts:
    """The facts of the newest decision about this digest of this model version, wherever it was asked.

    Facts that were measured come before facts that somebody reported, however new: or whoever may report
    could hide what was measured. Decisions that were undecided have no whole facts and do not count.
    """

    def __init__(
        self,
        ledger: Ledger,
        keys: Mapping[str, PublicKey],
        *,
        model: str,
        version: str,
        sha256: str,
        action: Action,
        environment: str,
        requested_by: str,
        risk_tier_of: Callable[[str], str | None],
        examined: Examine = examine,
    ) -> None:
        """`risk_tier_of` says what the settings say of a model now; `None`: what is on record."""
        self._ledger = ledger
        self._keys = keys
        self._model = model
        self._version = version
        self._sha256 = sha256
        self._action = action
        self._environment = environment
        self._requested_by = requested_by
        self._risk_tier_of = risk_tier_of
        self._examined = examined

    def assemble(self, time: datetime) -> Input:
        """The document. `UnknownSubject` if nothing about the model is on record."""
        request = Request(
            action=self._action,
            environment=self._environment,
            requested_by=self._requested_by,
            time=time,
        )
        known = self._known()
        tier = self._risk_tier_of(known.subject.name)
        subject = known.subject if tier is None else known.subject.model_copy(update={"risk_tier": tier})
        return known.model_copy(update={"request": request, "subject": subject})

    def confirm(self, document: Input) -> None:
        """What is pulled carries the digest: it cannot have become something else."""

    def _known(self) -> Input:
        wanted = Query(kind=DECISION_TYPE, sha256=self._sha256, model=self._model, version=self._version)
        page = self._ledger.search(wanted, before=None, most=_LOOKED_AT)
        decided = [stored for stored in page.entries if stored.columns.outcome != Outcome.UNDECIDED.value]
        if not decided:
            raise UnknownSubject(
                f"nothing is on record about {self._model}/{self._version} with this digest",
                where=f"sha256:{self._sha256}",
                next_step=f"Run `mandate check models:/{self._model}/{self._version}`, then try again",
            )
        chosen = next(filter(_says_measured, decided), decided[0])
        end = ended(self._ledger, self._sha256)
        if end is not None and end.index > chosen.index:
            # An approval or a waiver among these facts may be what was revoked.
            raise UnknownSubject(
                f"entry {end.index} ended what is on record about {self._model}/{self._version}",
                where=f"sha256:{self._sha256}",
                next_step=f"Run `mandate check models:/{self._model}/{self._version}`, then try again",
            )
        return reading.read(chosen, self._ledger, self._keys, examined=self._examined).document


def _says_measured(stored: Stored) -> bool:
    """Whether the entry says that all its facts were measured. That is proven once the entry is chosen."""
    try:
        stated = json.loads(dsse.parse(stored.envelope or b"").payload)
        collection = stated["predicate"]["input"]["collection"]
        origins = {entry["origin"] for entry in collection if entry["status"] == "collected"}
    except (BadInput, ValueError, LookupError, TypeError):
        return False
    return origins == {Origin.MEASURED.value}
