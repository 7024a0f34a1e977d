"""Whoever signs, by the URI that the settings or a person name: one module a kind.

    .mandate/keys/signing.pem           a key file, with or without a passphrase: see `keys`
    ssh-agent:SHA256:…                  a key of the ssh-agent, by fingerprint, comment or as the only one
    hsm:2?label=Mandate                 a PKCS#11 token  ┐
    awskms:… azurekms:… gcpkms:… hv:…   a service        ┘ through `securesystemslib`

What a kind needs is imported when it is asked for.
"""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

from ...errors import BadConfiguration
from ...nearest import advice
from .. import keys, public_keys
from ..keys import Signer
from .secrets import Secrets

FILE = "file"
AGENT = "ssh-agent"
SERVICES = {"awskms": "awskms", "azurekms": "azurekms", "gcpkms": "gcpkms", "hsm": "hsm", "hv": "vault"}
"""URI schemes of `securesystemslib`, and the extra of it that each needs."""
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):")


def scheme(uri: str) -> str:
    """What kind of signer the URI names; `file` for a path. `BadConfiguration` for a kind that is unknown."""
    found = _SCHEME.match(uri)
    if not found:
        return FILE
    if found[1] not in (FILE, AGENT, *SERVICES):
        raise BadConfiguration(
            f"there is no kind of signing key {found[1]!a}",
            where=ascii(uri)[1:-1],
            next_step=f"{advice(found[1], (FILE, AGENT, *SERVICES))}; for a file, write its path as ./…",
        )
    return found[1]


def file_of(uri: str, root: Path) -> Path | None:
    """The key file that the URI names, a relative one below `root`; `None` if it names no file."""
    return root / Path(uri.removeprefix(f"{FILE}:")).expanduser() if scheme(uri) == FILE else None


def keyid(uri: str, *, root: Path = Path(), public_key: Path | None = None) -> str:
    """The id of the key that the URI names, for which no secret is asked.

    `BadConfiguration` if nobody can say, `NotRecorded` if an agent does not answer.
    """
    if public_key is not None:
        return public_keys.load(root / public_key).keyid
    if (file := file_of(uri, root)) is not None:
        return public_keys.load(file.with_suffix(public_keys.SUFFIX)).keyid
    if (which := uri.removeprefix(f"{AGENT}:")).startswith(public_keys.FINGERPRINT):
        return which
    return signer(uri).public_key.keyid


def signer(
    uri: str, *, root: Path = Path(), public_key: Path | None = None, secrets: Secrets | None = None
) -> Signer:
    """Whoever signs with the key that the URI names; a relative path is below `root`.

    `public_key`: the file with the public key, which a token or service does not tell. `secrets`: where
    passphrases and PINs come from. `BadConfiguration` if the key cannot be used so, `NotRecorded` if nobody
    answers.
    """
    secrets = secrets or Secrets()
    if (file := file_of(uri, root)) is not None:
        return keys.load(file, partial(secrets.passphrase, f"the key {file}"))
    if (kind := scheme(uri)) == AGENT:
        from . import agent

        return agent.signer(uri.removeprefix(f"{AGENT}:"))
    if public_key is None:
        raise BadConfiguration(
            "the public key of this signing key is not named, and a token or service does not tell it",
            where=ascii(uri)[1:-1],
            next_step="Name its .pub file: ledger.public_key for ledger.key, --public-key for your own",
        )
    from . import services

    return services.signer(uri, public_keys.load(root / public_key), extra=SERVICES[kind], secrets=secrets)
