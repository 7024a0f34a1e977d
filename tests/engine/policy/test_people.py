"""People as they are written: roles and keys are data, and one person stands in one place."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mandate.engine.errors import BadPolicy
from mandate.engine.evidence.public_keys import PublicKey
from mandate.engine.policy.people import compile_people, public_keys
from mandate.engine.strict_yaml import load


def key(seed: int) -> PublicKey:
    """The same in each process: names of tests have fingerprints in them."""
    return PublicKey.of(Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32).public_key())


ANA, BO = key(1), key(2)
FILE = "organisation/people/risk.yaml"


def compiled(*texts: str) -> dict[str, dict[str, Any]]:
    return compile_people([load(text.encode(), BadPolicy, name=FILE) for text in texts])


def person(name: str = "ana@bank.example", *, keys: str = f"[{ANA.ssh} ana]", more: str = "") -> str:
    return f"- name: {name}\n  keys: {keys}\n  roles: [risk_officer]\n{more}"


def test_a_person_is_data_with_keys_by_fingerprint_and_the_place() -> None:
    people = compiled("# ours\n" + person(more="  identities: [ana.silva@bank.example]\n"))
    assert people == {
        "ana@bank.example": {
            "name": "ana@bank.example",
            "keys": {ANA.keyid: ANA.ssh},
            "roles": ["risk_officer"],
            "identities": ["ana.silva@bank.example"],
            "set_at": f"{FILE}:2",
        }
    }
    assert public_keys(people) == {ANA.keyid: ANA}


def test_people_of_all_files_are_together() -> None:
    assert [*compiled(person(), "", person("bo", keys=f"[{BO.ssh}]"))] == ["ana@bank.example", "bo"]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("name: ana", "it is not a list of people"),
        ("- ana", "it is not a person"),
        (person(more="  rolls: []\n"), "a person has no 'rolls'"),
        ("- name: ana\n  roles: []\n", "the person has no keys"),
        (person("Ana@Bank.example"), "the name 'Ana@Bank.example' is compared as 'ana@bank.example'"),
        (person('" "'), "a name is not text, or blank"),
        (person("7"), "a name is not text, or blank"),
        (person(keys="[ssh-ed25519 AAAA]"), "the SSH public key is damaged"),
        (person(keys="[7]"), "it is not one line with an SSH public key of type"),
        (person(keys=ANA.ssh), "keys is not a list"),
        (person(keys=f"[{ANA.ssh}, {ANA.ssh} again]"), f"the key {ANA.keyid} stands twice"),
        (person().replace("[risk_officer]", "[a, a]"), "'a' stands twice"),
        (person().replace("[risk_officer]", '[""]'), "a role is not text, or blank"),
        (person(more="  identities: ana\n"), "identities is not a list"),
        (person() + person(keys=f"[{BO.ssh}]"), "'ana@bank.example' is a person already, at"),
        (person() + person("bo", keys=f"[{ANA.ssh}]"), f"the key {ANA.keyid} is of two people"),
        (
            person() + person("bo", keys=f"[{BO.ssh}]", more="  identities: [ana@bank.example]\n"),
            "'ana@bank.example' is a person already, at",
        ),
    ],
)
def test_what_would_let_one_person_be_two_or_nobody_is_refused(text: str, what: str) -> None:
    with pytest.raises(BadPolicy) as error:
        compiled(text)
    assert what in error.value.what
    assert error.value.where.startswith(FILE)
    assert error.value.next_step


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(BadPolicy) as error:
        compiled(person("Ana") + person(keys="[x]"), "a: 1")
    assert len(error.value.others) == 2
