"""What is known of an entry once it is on record."""

from __future__ import annotations

from dataclasses import dataclass

from ..decision import Judgement
from ..input.base import Frozen, Sha256
from ..input.document import Input
from .envelope import Envelope
from .predicates.base import RecordedAt


class Receipt(Frozen):
    """The proof that something is on record: where, and signed by whom."""

    id: str
    """The entry's id, a UUIDv7 that begins with `recorded_at`."""
    index: int
    """Its place in the ledger, from 0."""
    recorded_at: RecordedAt
    leaf: Sha256
    """SHA-256 over the envelope as stored."""
    keyid: str
    """The SSH fingerprint of the key that signed it."""
    origin: str
    """The ledger's name."""


@dataclass(frozen=True, slots=True)
class Record:
    """A decision as it was answered, with the envelope that proves it."""

    receipt: Receipt
    document: Input
    judgement: Judgement
    mandate_version: str
    """The Mandate that recorded it."""
    envelope: Envelope
    what_if: bool = False
    """Whether it only says what would be decided."""
