"""The bank's people: a directory that a collector reads, and those who may sign, which policies know.

The persons are invented. Their certificates' dates are computed when the demo runs, so that the story does
not end on the day on which a date written into a file passes.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from ruamel.yaml import YAML

AUTHOR_NAME, AUTHOR = "Ada Lindqvist", "ada.lindqvist@bank.example"
OWNER = "mira.okonkwo@bank.example"
RISK_OFFICER = "tomas.reyes@bank.example"


def write_directory(file: Path, now: datetime) -> None:
    """The directory of developers: whoever builds models, with certificates that hold at `now`."""
    certificate = {
        "title": "Ethics of automated credit decisions",
        "issuer": "Institute of Banking Ethics",
        "topics": ["ethics", "fairness"],
        "issued": (now - timedelta(days=200)).date().isoformat(),
        "expires": (now + timedelta(days=530)).date().isoformat(),
    }
    _write(
        file,
        "Who builds models, and what they are trained for. No developer can write to this file.",
        {
            "apiVersion": "mandate.developers/v1",
            "accredited_issuers": ["Institute of Banking Ethics"],
            "developers": [
                {"identities": [AUTHOR], "roles": ["data_scientist"], "certificates": [certificate]},
            ],
        },
    )


def employ(people: Path, keys: Path) -> dict[str, Path]:
    """Who may sign, in which roles and by which keys: a file of the policies. The private keys, by role.

    Each person makes a key of their own; only the public one is written to `people`. In real life it is in
    their ssh-agent or on a token, and nobody else has it.
    """
    private = {role: keys / f"{role}.key" for role in ("model_owner", "risk_officer")}
    _write(
        people,
        "Who may sign for the bank. It is reviewed with the policies, and a part of their revision.",
        [
            {"name": name, "keys": [_new_key(private[role], name)], "roles": [role]}
            for role, name in (("model_owner", OWNER), ("risk_officer", RISK_OFFICER))
        ],
    )
    return private


def _new_key(file: Path, name: str) -> str:
    """Make an Ed25519 key as `ssh-keygen` does; its public line."""
    key = Ed25519PrivateKey.generate()
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file.touch(mode=0o600)
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    return f"{public.decode()} {name}"


def _write(file: Path, comment: str, value: object) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    yaml = YAML()
    yaml.width = 120
    yaml.default_flow_style = False
    with file.open("w", encoding="utf-8") as stream:
        stream.write(f"# {comment}\n")
        yaml.dump(value, stream)
