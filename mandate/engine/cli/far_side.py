"""Signing far from the ledger: what a service shows, or a file, is verified, signed here, and handed in."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

import click

from ... import composition
from ..errors import BadInput, BadRequest
from ..evidence import presented, proof_file, public_keys
from ..evidence.envelope import Envelope
from ..evidence.keys import Signer
from ..evidence.predicates.base import Predicate
from ..evidence.presented import Presented
from ..evidence.receipt import Receipt, Record
from ..evidence.signatory import (
    Signatory,
    Standing,
    model_of,
    refuse_past,
    refuse_role,
    refuse_unfit,
    standing,
)
from ..remote import records
from ..remote.client import NotBelieved, Service
from . import files
from .handing_in import hand_in

_INDEX = re.compile(r"0|[1-9][0-9]{0,17}")
_ID = re.compile(r"[0-9a-f][0-9a-f-]{3,35}")
"""An id, or the beginning of one. What is neither this nor an index is the name of a file."""
_VERSION = re.compile(r"models:/(?P<model>.+)/(?P<version>[^/@]+)")
_UNVERIFIED = "nothing says whose ledger it is from: name the ledger's public key with --ledger-key"


class There:
    """Far from the ledger. `server` gives the service; with `None`, all that is read is a file."""

    link: Callable[[str], str] | None = None

    def __init__(
        self,
        server: Callable[[], Service] | None,
        signer: Signer,
        *,
        name: str | None,
        keys: Sequence[Path],
        out: Path | None,
    ) -> None:
        """`BadRequest` if the key is of nobody that the policies know, or of somebody else than `name`."""
        self._keys = [public_keys.load(path) for path in keys]
        self._service = None if server is None else server()
        self._who = _Far(signer, self._service, name, out)
        self.notes: Sequence[tuple[str, str]] = ()
        self.verified_by: Sequence[str] = ()

    @property
    def who(self) -> _Far:
        """Whoever signs."""
        return self._who

    def shown(
        self,
        subject: str,
        reference: str | None,
        *,
        sha256: str | None,
        action: str | None,
        environment: str | None,
    ) -> Record:
        """The decision in the file, the one that is named, or the newest by the policies in use."""
        if (match := _VERSION.fullmatch(subject)) is None:
            raise BadRequest(
                "what you sign is about one version",
                where=subject,
                next_step="Name it as models:/credit/3: what an alias means, the service's registry knows",
            )
        if reference is None:
            asked = {"action": action or "promote", "environment": environment or "production"}
            found = self._found(self._newest(subject, match.groupdict() | asked), asked)
        else:
            found = self._found(reference)
            _demand(found, {"action": action, "environment": environment})
        record = found.record
        refuse_unfit(record, uri=subject, sha256=sha256, revision=self._who.revision)
        self._who.sign_by(found)
        return record

    def entry(self, reference: str) -> Predicate:
        """The entry that the service shows."""
        if self._service is None or not _is_reference(reference.lower()):
            raise click.UsageError("Say with --server where the entry is, and name its id.")
        found = self._found(reference)
        self._who.sign_by(found)
        self.notes = (("policies", str(self._who.revision)), *self.notes)
        return found.predicate

    def _newest(self, subject: str, wanted: dict[str, str]) -> str:
        if self._service is None:
            raise click.UsageError(
                "Name with --decision the file with what is shown, or the --server to ask."
            )
        found = records.newest(self._service, wanted | {"revision": str(self._who.revision)})
        if found is None:
            raise BadRequest(
                f"there is no decision on {subject} to {wanted['action']} in {wanted['environment']} by the "
                "policies in use",
                where=self._service.where,
                next_step="Let somebody who may ask run `mandate check`, or name a what-if with --decision",
            )
        return found

    def _found(self, reference: str, asked: Mapping[str, str] = MappingProxyType({})) -> Presented:
        """What the file or the entry says; from a service, `NotBelieved` unless it is what was asked for."""
        service, wanted = self._service, reference.lower()
        if not _is_reference(wanted):
            return self._noted(presented.read(files.read(Path(reference), proof_file.MAX_BYTES), self._keys))
        if service is None:
            raise click.UsageError("Say with --server where that decision is.")
        proof = records.proof(service, wanted)
        try:
            found = presented.read(proof, self._keys)
            _demand(found, asked, reference=wanted)
        except BadInput as error:
            raise NotBelieved(
                f"its answer is not believed: {error.what}",
                where=service.where,
                next_step="Find out what answers there, and sign nothing by it",
            ) from error
        return self._noted(found)

    def _noted(self, found: Presented) -> Presented:
        verified = f"{', '.join(found.vouched)} signed the head above it" if found.vouched else _UNVERIFIED
        self.notes = (("ledger", found.predicate.ledger.origin), ("verified", verified))
        self.verified_by = found.vouched
        return found


def _is_reference(text: str) -> bool:
    return bool(_INDEX.fullmatch(text) or _ID.fullmatch(text))


def _demand(found: Presented, asked: Mapping[str, str | None], *, reference: str | None = None) -> None:
    """Return if it is the entry that the reference means, and a decision on what was `asked` (`None`:
    whatever). `BadInput` if not."""
    if reference is not None:
        is_it = (
            str(found.index) == reference
            if _INDEX.fullmatch(reference)
            else found.predicate.id.startswith(reference)
        )
        if not is_it:
            raise BadInput("it is another entry")
    for name, wanted in asked.items():
        said = str(getattr(found.record.document.request, name))
        if wanted not in (None, said):
            raise BadInput(
                f"this decision is on the {name} {said}, and not {wanted}",
                where=found.predicate.id,
                next_step=f"Leave --{name} out, or name another decision",
            )


class _Far:
    """One person, as the service knows whose key it is, or as that person says."""

    def __init__(self, signer: Signer, service: Service | None, name: str | None, out: Path | None) -> None:
        self._signer, self._service, self._out = signer, service, out
        self._person = None if service is None else records.person(service, self.keyid)
        if self._person is None and name is None:
            raise click.UsageError("Say with --as who you are, by the name that the policies have.")
        if self._person is not None and name not in (None, self._person.name):
            raise BadRequest(
                f"the policies know the key {self.keyid} as that of {self._person.name}",
                where="--as",
                next_step="Sign with your own key",
            )
        self.name = str(self._person.name if self._person else name)
        self.revision = self._person.revision if self._person else None
        """Of the policies in use; `None` if there is nobody to ask."""
        self._by: Presented | None = None

    @property
    def keyid(self) -> str:
        """With which key."""
        return self._signer.public_key.keyid

    def sign_by(self, found: Presented) -> None:
        """What is signed from here on rests on this entry. `BadInput` if it is of another ledger."""
        origin = found.predicate.ledger.origin
        if self._person is not None and origin != self._person.origin:
            raise BadInput(
                f"this is of the ledger {origin}, and the service's is {self._person.origin}",
                where=found.predicate.id,
                next_step="Ask the service of that ledger",
            )
        self._by = found

    def check_approval(self, record: Record, role: str) -> None:
        """The rest of what the policies say of people, the service knows."""
        if self._person is not None:
            refuse_role(self.name, self._person.roles, role, where="--role")
        model_of(record.document)

    def approve(
        self, record: Record, role: str, *, reference: str | None, reason: str | None
    ) -> Receipt | Path:
        """Consent to the artifact of a decision, for the findings in it."""
        given = self._signatory.approval(record, role, reference=reference, reason=reason)
        return self._handed_in("/v1/approvals", given)

    def check_waiver(self, record: Record, rule: str, until: datetime) -> None:
        """Which rules may be waived, by whom and for how long, the service knows."""
        refuse_past(until, composition.now())
        model_of(record.document)

    def waive(
        self, record: Record, rule: str, *, until: datetime, reason: str, reference: str
    ) -> Receipt | Path:
        """Answer for a violation, for a time."""
        given = self._signatory.waiver(record, rule, until=until, reason=reason, reference=reference)
        return self._handed_in("/v1/waivers", given)

    def revocable(self, entry: Predicate) -> Standing:
        """Whether somebody revoked it already, the service knows."""
        return standing(entry)

    def revoke(self, entry: Predicate, *, reason: str) -> Receipt | Path:
        """Take back an approval, a waiver or an allow."""
        return self._handed_in("/v1/events", self._signatory.revocation(standing(entry), reason=reason))

    @property
    def _signatory(self) -> Signatory:
        assert self._by is not None  # noqa: S101  (nothing is signed before something is shown)
        origin, revision = self._by.predicate.ledger.origin, self.revision
        if revision is None:
            revision = self._by.record.judgement.policy.revision
        return Signatory(self.name, self._signer, origin, revision, composition.now)

    def _handed_in(self, route: str, envelope: Envelope) -> Receipt | Path:
        if self._out is not None:
            files.write(envelope.to_bytes() + b"\n", self._out)
            return self._out
        assert self._service is not None  # noqa: S101  (it is written where nobody takes it in)
        return hand_in(self._service, route, envelope)
