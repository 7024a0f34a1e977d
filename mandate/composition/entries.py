"""Single entries of the ledger, proven before they are shown."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from ..engine.configuration import Configuration
from ..engine.errors import BadRequest
from .ledgers import ledger, opened, public_keys, signing_key

if TYPE_CHECKING:
    from ..engine.evidence.envelope import Envelope
    from ..engine.evidence.predicates.base import Predicate
    from ..engine.evidence.receipt import Record
    from ..engine.evidence.signed import Signed


def entry(configuration: Configuration, reference: str) -> Predicate:
    """What an entry says, proven; by its id, the beginning of it, or its index."""
    from ..engine.evidence import reading
    from ..engine.evidence.entries import ProvenEntries

    with opened(configuration) as store:
        found = reading.entry(store, reference)
        return ProvenEntries(store, public_keys(configuration)).predicate(found)


def recorded(configuration: Configuration, reference: str) -> Record:
    """A recorded decision by its id, the beginning of it, or its index; its signature is verified."""
    from ..engine.evidence.reading import find

    with opened(configuration) as store:
        return find(store, reference, public_keys(configuration))


def envelope(configuration: Configuration, reference: str) -> Envelope:
    """Any entry as it was signed, by its id, the beginning of it, or its index; it is proven first."""
    from ..engine.evidence import envelope as dsse
    from ..engine.evidence import reading
    from ..engine.evidence.entries import ProvenEntries

    with opened(configuration) as store:
        found = reading.entry(store, reference)
        ProvenEntries(store, public_keys(configuration)).predicate(found)
    return dsse.parse(found.envelope or b"")


def attestation(configuration: Configuration, record: Record, kind: str) -> Envelope:
    """A recorded decision in the words of a standard, signed by the ledger's key: see `evidence.standard`."""
    from ..engine.evidence import standard
    from ..engine.evidence.key_watch import KeyWatch

    signer = signing_key(configuration)
    with closing(ledger(configuration)) as store:
        KeyWatch(store, public_keys(configuration)).entitle(signer.public_key.keyid)
    return standard.attestation(kind, record, signer)


def signed(configuration: Configuration, reference: str) -> Signed:
    """A recorded decision as the JSON that was signed."""
    from ..engine.evidence import reading, signed
    from ..engine.evidence.key_watch import KeyWatch

    keys = public_keys(configuration)
    with opened(configuration) as store:
        found = signed.read(reading.entry(store, reference), store, keys, KeyWatch(store, keys).status)
        if found is None:
            raise BadRequest(
                "this entry is no decision", where=store.location, next_step="See `mandate ledger show`"
            )
        return found
