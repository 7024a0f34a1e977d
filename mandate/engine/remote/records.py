"""What a service has on record, and what people hand in to it.

As with its decisions, an answer is believed only if it fits what was asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from .client import NotBelieved, Service

_RECORDED = 201
_PROOF = "application/vnd.mandate.proof.v1+json"


@dataclass(frozen=True, slots=True)
class Person:
    """Whose key it is, and what whoever signs with it must name."""

    name: str
    roles: tuple[str, ...]
    revision: str
    """Of the policies in use."""
    origin: str
    """The ledger's name."""


def person(service: Service, keyid: str) -> Person:
    """Who signs with this key, to the policies in use. `UnknownSubject` if nobody does."""
    said = service.get(f"/v1/people?{urlencode({'keyid': keyid})}")
    match said:
        case {
            "keyid": str(found),
            "name": str(name),
            "roles": list(roles),
            "policy": {"revision": str(revision)},
            "ledger": {"origin": str(origin)},
        } if found == keyid and all(isinstance(role, str) for role in roles):
            return Person(name, tuple(roles), revision, origin)
    raise _not_believed(service, "it does not say whose key this is")


def newest(service: Service, wanted: Mapping[str, str]) -> str | None:
    """The id of the newest decision with these columns, such as `model`; `None` if there is none."""
    said = service.get(f"/v1/decisions?{urlencode({**wanted, 'limit': 1})}")
    match said:
        case {"entries": []}:
            return None
        case {"entries": [{"id": str(found), **columns}]} if all(
            columns.get(name) == value for name, value in wanted.items()
        ):
            return found
    raise _not_believed(service, "what it found is something else")


def proof(service: Service, reference: str) -> bytes:
    """The proof file of an entry, of which nothing is believed yet. `UnknownSubject` if there is none."""
    return service.read(f"/v1/proofs/{quote(reference, safe='')}", kind=_PROOF)


def hand_in(service: Service, route: str, envelope: Mapping[str, Any], place: Mapping[str, Any]) -> int:
    """The index under which it is on record now. `place`: what else the receipt must say.

    Asked again after a lost answer, the service answers with the place that the envelope has.
    """
    reply = service.post(route, envelope)
    index = reply.body.get("index")
    known = reply.status == _RECORDED and all(reply.body.get(name) == said for name, said in place.items())
    if not known or type(index) is not int or index < 0:
        raise _not_believed(service, "it does not say where this is on record")
    return index


def _not_believed(service: Service, fault: str) -> NotBelieved:
    return NotBelieved(
        f"its answer is not believed: {fault}",
        where=service.where,
        next_step="Find out what answers there, and do not act on it",
    )
