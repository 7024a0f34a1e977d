"""`people/*.yaml`: who may approve and waive, in which roles, and the keys that they sign with. A list of

    - name: ana@bank.example             # by this name somebody approves
      keys:                              # lines as `mandate key show` prints and `ssh-keygen` writes them
        - ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA… ana@laptop
      roles: [risk_officer]
      identities: [ana.silva@bank.example]   # other names of the same person, in git for one; may be left out

A person stands in one place, and a key is of one person. Names are written as they are compared: in lower
case, without space around them. Whether somebody may do something is for Rego to say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..errors import BadPolicy
from ..evidence.public_keys import PublicKey
from ..input.people import normal
from ..nearest import advice
from ..strict_yaml import Document, Place, load
from .faults import Faults
from .sources import Kind

FOLDER = "people/"
_KEYS = ("name", "keys", "roles")
_OPTIONAL = ("identities",)


def compile_people(documents: Sequence[Document]) -> dict[str, dict[str, Any]]:
    """`data.mandate.people`: each person by name, with `set_at`, the place, and keys by their fingerprints.

    `BadPolicy` for a person or a key that stands twice, a key that cannot be read, and unknown fields.
    """
    people: dict[str, dict[str, Any]] = {}
    with Faults() as faults:
        for document in documents:
            written = [] if document.value is None else document.value
            if not isinstance(written, list):
                faults.add(
                    "it is not a list of people", where=document.where(), next_step="Begin each person with -"
                )
                continue
            for at, item in enumerate(written):
                with faults.kept():
                    name, person = _person(document, (at,), item)
                    _refuse_twice(name, person, people)
                    people[name] = person
    return people


def public_keys(people: Mapping[str, Mapping[str, Any]]) -> dict[str, PublicKey]:
    """All people's keys by their ids, of `data.mandate.people`."""
    keys = (key for person in people.values() for key in person["keys"].items())
    return {keyid: PublicKey.from_ssh(line) for keyid, line in keys}


def keys_in(bundle: bytes, revision: str) -> dict[str, dict[str, PublicKey]]:
    """The keys of each person by the policies in a bundle; of nobody if it is not of this revision.

    They are read from the sources, of which the revision is the digest: what else is in the bundle could have
    been changed.
    """
    from .contents import parsed

    try:
        sources = parsed(bundle).sources
        if sources.revision != revision:
            return {}
        files = [source for source in sources.of(Kind.YAML) if source.path.startswith(FOLDER)]
        people = compile_people([load(source.content, BadPolicy, name=source.label) for source in files])
    except BadPolicy:
        return {}
    return {name: public_keys({name: person}) for name, person in people.items()}


def _person(document: Document, place: Place, item: Any) -> tuple[str, dict[str, Any]]:
    where = document.where(place)
    if not isinstance(item, dict):
        raise BadPolicy("it is not a person", where=where, next_step=f"Set {', '.join(_KEYS)}")
    for key in item:
        if key not in (*_KEYS, *_OPTIONAL):
            raise BadPolicy(
                f"a person has no {key!a}",
                where=document.where((*place, key)),
                next_step=advice(str(key), (*_KEYS, *_OPTIONAL)),
            )
    for key in _KEYS:
        if item.get(key) is None:
            raise BadPolicy(f"the person has no {key}", where=where, next_step=f"Add {key}")
    name = _name(item["name"], document.where((*place, "name")))
    keys: dict[str, str] = {}
    for line, at in _each(item["keys"], document, (*place, "keys")):
        key = _key(line, at)
        if key.keyid in keys:
            raise BadPolicy(f"the key {key.keyid} stands twice", where=at, next_step="Remove one of them")
        keys[key.keyid] = key.ssh
    return name, {
        "name": name,
        "keys": keys,
        "roles": _names(item["roles"], document, (*place, "roles"), _role),
        "identities": _names(item.get("identities") or [], document, (*place, "identities"), _name),
        "set_at": where,
    }


def _refuse_twice(name: str, person: Mapping[str, Any], others: Mapping[str, Mapping[str, Any]]) -> None:
    """One person under two names could fill two roles."""
    for other in others.values():
        shared = {name, *person["identities"]} & {other["name"], *other["identities"]}
        if shared:
            raise BadPolicy(
                f"{min(shared)!a} is a person already, at {other['set_at']}",
                where=person["set_at"],
                next_step="Let each person stand in one place",
            )
        if same := sorted(person["keys"].keys() & other["keys"].keys()):
            raise BadPolicy(
                f"the key {same[0]} is of two people, {other['name']!a} at {other['set_at']} and {name!a}",
                where=person["set_at"],
                next_step="Leave it to whoever holds the private key, and give everybody a key of their own",
            )


def _each(value: Any, document: Document, place: Place) -> list[tuple[Any, str]]:
    if not isinstance(value, list):
        raise BadPolicy(
            f"{place[-1]} is not a list", where=document.where(place), next_step="Write it as [one, another]"
        )
    return [(item, document.where((*place, at))) for at, item in enumerate(value)]


def _names(value: Any, document: Document, place: Place, read: Callable[[Any, str], str]) -> list[str]:
    found: list[str] = []
    for item, where in _each(value, document, place):
        if (name := read(item, where)) in found:
            raise BadPolicy(f"{name!a} stands twice", where=where, next_step="Remove one of them")
        found.append(name)
    return found


def _name(value: Any, where: str) -> str:
    """A name as it is compared: two spellings of one name would be two people to Rego."""
    if not isinstance(value, str) or not (compared := normal(value)):
        raise BadPolicy("a name is not text, or blank", where=where, next_step="Write a mail or user name")
    if compared != value:
        raise BadPolicy(
            f"the name {value!a} is compared as {compared!a}", where=where, next_step="Write it so"
        )
    return value


def _role(value: Any, where: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise BadPolicy("a role is not text, or blank", where=where, next_step="Name a role")
    return value


def _key(value: Any, where: str) -> PublicKey:
    try:
        return PublicKey.from_ssh(value if isinstance(value, str) else "")
    except ValueError as error:
        raise BadPolicy(
            f"it is {error}" if str(error).startswith("not") else str(error),
            where=where,
            next_step="Write the line that `mandate key show FILE` prints for a .pub file: ssh-ed25519 AAAA…",
        ) from error
