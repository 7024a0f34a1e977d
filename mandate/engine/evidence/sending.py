"""Signs facts that somebody sends ahead of the question that they are for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ..digests import document_sha256
from ..errors import BadRequest
from ..input.document import Input
from . import envelope as dsse
from . import statement
from .envelope import Envelope
from .keys import Signer
from .predicates.facts import FactsPredicate
from .predicates.personal import ModelStated, PolicyStated
from .recorder import Stamp


def sealed(
    document: Input,
    *,
    people: Mapping[str, Mapping[str, Any]],
    revision: str,
    origin: str,
    time: datetime,
    signer: Signer,
) -> Envelope:
    """The facts, signed by who holds the key. `BadRequest` if nobody that the policies know does, or if the
    artifact has no digest."""
    subject, keyid = document.subject, signer.public_key.keyid
    by = next((str(name) for name, person in people.items() if keyid in person["keys"]), None)
    if by is None:
        raise BadRequest(
            f"the key {keyid} is of nobody that the policies know",
            where="--key",
            next_step=f"Let an entry in people/*.yaml have the key {signer.public_key.ssh}",
        )
    if subject.sha256 is None:
        raise BadRequest(
            "its artifact has no digest, so nothing says what the facts are about",
            where=subject.uri,
            next_step="Configure the collector mlflow",
        )
    predicate = FactsPredicate(
        **Stamp.of(time, origin).fields,
        by=by,
        model=ModelStated(uri=subject.uri, name=subject.name, version=subject.version, sha256=subject.sha256),
        policy=PolicyStated(revision=revision),
        reason=None,
        input=document,
        inputSha256=document_sha256(document.model_dump(mode="json")),
    )
    return dsse.seal(statement.payload(statement.state(predicate)), signer)
