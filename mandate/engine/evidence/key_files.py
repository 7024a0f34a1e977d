"""A key file that gives way to another, so that the settings that name it stay as they are.

    signing.next.pem            the successor, from before the entry that says so until it is in its place
    signing.pem                 the key that signs
    signing-3fa9c1b2d4e5.pub    the public key of one that signed before

Each step can be done again: whoever was interrupted begins anew, and finds the successor that was made.
"""

from __future__ import annotations

import base64
from pathlib import Path

from .. import durably
from ..errors import BadConfiguration
from . import keys, public_keys
from .keys import Passphrase, SigningKey
from .public_keys import SUFFIX, PublicKey

_DIGITS = 12


def successor_of(path: Path) -> Path:
    """Where the key that is to take the place of the one in `path` lies until then."""
    return path.with_name(f"{path.stem}.next{path.suffix}")


def successor(path: Path, new_passphrase: Passphrase | None, passphrase: Passphrase) -> SigningKey:
    """The key that is to take the place of the one in `path`: a new one, or one that was made before.

    `new_passphrase` locks a new one; `passphrase` opens one that was made before. `BadConfiguration` if it
    cannot be made or used.
    """
    following = successor_of(path)
    if following.exists():
        return keys.load(following, passphrase)
    return keys.create(following, b"" if new_passphrase is None else new_passphrase())


def take_place(path: Path) -> None:
    """Put the successor in the place of the key in `path`, which is no more after that.

    `BadConfiguration` if the files cannot be moved. Their public keys have been kept: see `keep_public`.
    """
    following = successor_of(path)
    try:
        # The public key goes first: as long as the private one is there, this can be done again.
        if (public := following.with_suffix(SUFFIX)).exists():
            public.replace(path.with_suffix(SUFFIX))
        following.replace(path)
        durably.sync(path.parent)
    except OSError as error:
        raise BadConfiguration(
            f"the new key cannot be put in its place: {error.strerror}",
            where=str(path),
            next_step=f"Move {following.name} there, and its .pub file too",
        ) from error


def file_for(folder: Path, key: PublicKey) -> Path:
    """Where `keep_public` keeps a public key: under a name of its own, which no later key takes."""
    return folder / f"signing-{_digits(key)}{SUFFIX}"


def keep_public(folder: Path, key: PublicKey) -> Path:
    """The file in `folder` that has the public key, made if there is none. `BadConfiguration` likewise."""
    path = file_for(folder, key)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            keys.write_once(path, key.pem, mode=0o644)
    except OSError as error:
        raise BadConfiguration(
            f"the public key cannot be kept: {error.strerror}",
            where=str(path),
            next_step="Make the folder writable",
        ) from error
    if public_keys.load(path) != key:
        raise BadConfiguration(
            f"this is not the public key {key.keyid}", where=str(path), next_step="Give the file another name"
        )
    return path


def _digits(key: PublicKey) -> str:
    """The beginning of the fingerprint, in digits that a file's name can have."""
    digest = base64.b64decode(key.keyid.removeprefix(public_keys.FINGERPRINT) + "=")
    return digest.hex()[:_DIGITS]
