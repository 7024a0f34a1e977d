"""What a proof file proves to somebody who trusts a few keys and nobody else.

1. The entry's statement is signed by a key of the ledger, or by a person whose key is trusted.
2. The head is signed by a key of the ledger, under the head's origin.
3. As many witnesses as are required signed the same head.
4. The inclusion proof leads from the entry to the head's root.
5. The statement is an in-toto Statement, and was not made for another ledger.

All five are tried, so that somebody who looks for what is wrong sees all of it; only all five prove anything.
Nothing here reads the statement through a model: what was signed is shown as it was signed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from .. import strict_json
from ..errors import BadInput
from . import envelope as dsse
from .log import checkpoint, merkle, note
from .log.checkpoint import Checkpoint, Witnessed
from .log.cosignature import WitnessKey
from .log.note import NoteKey
from .proof_file import ProofFile
from .public_keys import PublicKey, keyring

Scalar = str | int | float | bool | None
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Trust:
    """Whose signatures count."""

    ledger: tuple[PublicKey, ...] = ()
    """Keys of the ledger, whatever its name is."""
    named: tuple[NoteKey, ...] = ()
    """Keys of the ledger of this name."""
    people: tuple[PublicKey, ...] = ()
    """Keys that may have signed the entry, but not the head."""
    witnesses: tuple[WitnessKey, ...] = ()
    required: int = 0
    """So many of the witnesses must have signed the head."""

    @property
    def signers(self) -> Mapping[str, PublicKey]:
        """The keys that may have signed the entry."""
        return keyring(*self.ledger, *(key.public_key for key in self.named), *self.people)

    def heads_of(self, origin: str) -> tuple[NoteKey, ...]:
        """The keys that may have signed a head of the log with this origin."""
        return *self.named, *note.keys_named(origin, self.ledger)


@dataclass(frozen=True, slots=True)
class Statement:
    """What was signed, word for word: the parts of it that say what it is about."""

    kind: str
    """The predicate's type."""
    subjects: tuple[tuple[str, Mapping[str, str]], ...]
    """The name of each subject, and its digests by algorithm."""
    stated: Mapping[str, Scalar]
    """The predicate's fields that are one value, such as `outcome` or `policy.revision`."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is proven, and what is wrong. Parts that were not proven are `None` or empty."""

    index: int
    """Where the entry is said to stand."""
    faults: tuple[str, ...]
    """One clause each; none if all is proven."""
    statement: Statement | None = None
    signed_by: str | None = None
    """The key id of who signed the statement."""
    head: Checkpoint | None = None
    head_signed_by: tuple[NoteKey, ...] = ()
    witnessed_by: tuple[Witnessed, ...] = ()

    @property
    def proven(self) -> bool:
        """Whether all of it is."""
        return not self.faults


def check(file: ProofFile, trust: Trust) -> Verdict:
    """The verdict on a proof file."""
    faults: list[str] = []
    signed_by = _tried(faults, lambda: _signed(file, trust))  # 1
    accepted = _tried(faults, lambda: _head(file, trust))  # 2 and 3
    # Who vouches for the head is another question than whether the entry is under it: both are answered.
    head = checkpoint.unverified(file.proof.checkpoint)[0]
    if not merkle.verify_inclusion(file.leaf, file.proof.index, head.size, head.root, file.proof.hashes):  # 4
        faults.append("the inclusion proof does not lead from this entry to the head")
    statement = _tried(faults, lambda: read(file.envelope.payload))  # 5
    origin = statement.stated.get("ledger.origin") if statement else None
    if origin not in (None, head.origin):
        faults.append(f"the statement was made for another ledger, {str(origin)[:100]!a}")
    return Verdict(
        index=file.proof.index,
        faults=tuple(faults),
        # What nobody trusted has signed is not shown.
        statement=statement if signed_by else None,
        signed_by=signed_by,
        head=accepted.checkpoint if accepted else None,
        head_signed_by=accepted.signed_by if accepted else (),
        witnessed_by=accepted.witnessed_by if accepted else (),
    )


def read(payload: bytes) -> Statement:
    """The statement in a payload, of any type of predicate. `BadInput` if it is no in-toto Statement."""
    try:
        document = strict_json.parse(payload, finite=False)
    except strict_json.NotStrict as error:
        raise BadInput(f"what is signed is not JSON: {error}") from error
    match document:
        case {
            "_type": "https://in-toto.io/Statement/v1",
            "predicateType": str(kind),
            "subject": [_, *_] as subjects,
            "predicate": dict(predicate),
        }:
            return Statement(kind, tuple(_subject(one) for one in subjects), _stated(predicate))
    raise BadInput("what is signed is not an in-toto Statement about a subject")


def _tried(faults: list[str], step: Callable[[], T]) -> T | None:
    try:
        return step()
    except BadInput as error:
        faults.append(error.what)
        return None


def _signed(file: ProofFile, trust: Trust) -> str:
    dsse.verify(file.envelope, trust.signers)
    return file.envelope.signatures[0].keyid


def _head(file: ProofFile, trust: Trust) -> checkpoint.Accepted:
    origin = checkpoint.unverified(file.proof.checkpoint)[0].origin
    return checkpoint.accept(
        file.proof.checkpoint, trust.heads_of(origin), trust.witnesses, required=trust.required
    )


def _subject(document: Any) -> tuple[str, Mapping[str, str]]:
    match document:
        case {"name": str(name), "digest": dict(digests)} if all(
            isinstance(one, str) for one in digests.values()
        ):
            return name, digests
    raise BadInput("a subject of what is signed does not have a name and digests")


def _stated(predicate: Mapping[str, Any]) -> dict[str, Scalar]:
    """The fields that are one value, and those of its objects that have no others."""
    found: dict[str, Scalar] = {}
    for name, value in predicate.items():
        if _is_scalar(value):
            found[name] = value
        elif isinstance(value, dict) and all(_is_scalar(one) for one in value.values()):
            found.update({f"{name}.{inner}": one for inner, one in value.items()})
    return found


def _is_scalar(value: Any) -> bool:
    if isinstance(value, float):
        # JSON has no others; Python's reader takes them.
        return math.isfinite(value)
    return value is None or isinstance(value, str | int)
