"""Keys that sign the evidence, in files that only their owner can read.

`cryptography` signs, and not `securesystemslib`: importing the latter costs `mandate check` twice as much (28
against 15 ms of processor time), and its envelopes are read leniently, where ours must be read strictly. The
tests verify with `securesystemslib`, and `signers` wraps its signers (KMS, PKCS#11) as a `Signer`.

A key without a passphrase is PEM PKCS#8. One with a passphrase is written as OpenSSH writes its own: PKCS#8
derives the key from the passphrase by 2,048 rounds of PBKDF2 (that is what `cryptography` writes, and no
option changes it), which a graphics card undoes a million times a second; OpenSSH's bcrypt_pbkdf is made to
be slow there. And `ssh-add` takes such a file as it is. Either form is read.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    load_ssh_private_key,
)

from .. import durably
from ..errors import BadConfiguration
from .public_keys import SUFFIX, PublicKey

OTHERS = 0o077
"""Permission bits of everybody but the owner."""
_ROUNDS = 24
"""Of bcrypt_pbkdf, as `ssh-keygen` has it: a fifth of a second for each guess, and for each start."""
_OPENSSH = b"-----BEGIN OPENSSH PRIVATE KEY-----"
_ADVICE = "Name a key's file (ledger.key, or --key); `mandate key new` makes one"

Passphrase = Callable[[], bytes]
"""Gives the passphrase when it is needed. `BadConfiguration` if there is none to be had."""
Private = Ed25519PrivateKey | EllipticCurvePrivateKey


class Signer(Protocol):
    """Whoever signs: a key file, an agent, a token, or a key management service."""

    @property
    def public_key(self) -> PublicKey:
        """The key that verifies the signatures."""

    def sign(self, data: bytes) -> bytes:
        """The signature over `data`.

        `NotRecorded` if there is none to be had, `BadConfiguration` if there will be none until a setting, a
        PIN or a key is another.
        """


@dataclass(frozen=True, slots=True, repr=False)
class SigningKey:
    """A private key in memory, Ed25519 or ECDSA P-256. It has no `repr` that could reach a log."""

    public_key: PublicKey
    _private: Private

    @classmethod
    def of(cls, private: object) -> SigningKey:
        """The value for a key of `cryptography`. `ValueError` if it is of another kind."""
        if isinstance(private, Ed25519PrivateKey | EllipticCurvePrivateKey):
            return cls(PublicKey.of(private.public_key()), private)
        raise ValueError("neither an Ed25519 nor an ECDSA P-256 key")

    @property
    def keyid(self) -> str:
        """The SSH fingerprint, `SHA256:…`."""
        return self.public_key.keyid

    def sign(self, data: bytes) -> bytes:
        """The signature over `data`: 64 bytes of Ed25519, or ECDSA over SHA-256 in DER."""
        if isinstance(self._private, Ed25519PrivateKey):
            return self._private.sign(data)
        return self._private.sign(data, ECDSA(SHA256()))


def create(path: Path, passphrase: bytes = b"") -> SigningKey:
    """Make a new Ed25519 key at `path` (mode 0600) with its public key beside it (`.pub`), durably.

    Without a passphrase, whoever reads the file has the key. Nothing is ever overwritten: `BadConfiguration`
    if one of the two files exists or cannot be written. The folder is made (mode 0700) if it is not there.
    """
    private = Ed25519PrivateKey.generate()
    write_new(path, private, passphrase)
    return SigningKey.of(private)


def write_new(path: Path, private: Private, passphrase: bytes = b"") -> PublicKey:
    """Keep a private key at `path`, and its public key beside it, as `create` says."""
    key = PublicKey.of(private.public_key())
    public = path.with_suffix(SUFFIX)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # The public key goes first: if it is there already, no private key is left behind that nobody can
        # verify.
        write_once(public, key.pem, mode=0o644)
        try:
            write_once(path, _written(private, passphrase), mode=0o600)
        except OSError:
            public.unlink()
            raise
    except OSError as error:
        raise BadConfiguration(
            f"the signing key cannot be created: {error.strerror}",
            where=str(error.filename or path),
            next_step="Keep the key that is there, or choose another file; a key is never overwritten",
        ) from error
    return key


def load(path: Path, passphrase: Passphrase | None = None) -> SigningKey:
    """The key in `path`, PEM PKCS#8 or OpenSSH's own form; `passphrase` is asked only if it has one.

    `BadConfiguration` if it cannot be used, if others than its owner can read it, or if the passphrase is
    wrong or missing.
    """
    content = _read(path, advice=_ADVICE)
    try:
        private = _parse(content)
    except TypeError:  # it has a passphrase
        private = _decrypted(content, passphrase, path)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadConfiguration(
            "this is no private key, neither in PEM nor as OpenSSH writes it",
            where=str(path),
            next_step=_ADVICE,
        ) from error
    try:
        return SigningKey.of(private)
    except ValueError as error:
        raise BadConfiguration(
            f"the signing key is {error}", where=str(path), next_step="Use a key of one of these kinds"
        ) from error


def is_locked(path: Path) -> bool:
    """Whether the key in `path` has a passphrase. `BadConfiguration` if the file cannot be read."""
    try:
        _parse(_read(path, advice=_ADVICE))
    except TypeError:
        return True
    except (ValueError, UnsupportedAlgorithm):
        return False
    return False


def load_private(path: Path, *, advice: str) -> PrivateKeyTypes:
    """A private key of any kind, in PEM without a passphrase; `advice` is what to do about it if it is not.

    `BadConfiguration` as `load` says.
    """
    content = _read(path, advice=advice)
    try:
        return load_pem_private_key(content, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise BadConfiguration(
            "this is no private key in PEM without a passphrase", where=str(path), next_step=advice
        ) from error


def _read(path: Path, *, advice: str) -> bytes:
    """The file, which only its owner can read. `BadConfiguration` otherwise."""
    try:
        with path.open("rb") as file:
            # Asked of the open file, not of the path: what is read is what was looked at.
            mode = os.fstat(file.fileno()).st_mode
            content = file.read()
    except OSError as error:
        raise BadConfiguration(
            f"the signing key cannot be read: {error.strerror}", where=str(path), next_step=advice
        ) from error
    if mode & OTHERS:
        raise BadConfiguration(
            f"others than its owner can use the signing key (mode {mode & 0o777:04o})",
            where=str(path),
            next_step="Run `chmod 600` on it, and replace the key if somebody may have read it",
        )
    return content


def _parse(content: bytes, passphrase: bytes | None = None) -> object:
    """The private key. `TypeError` if it has a passphrase and none is given."""
    read = load_ssh_private_key if content.startswith(_OPENSSH) else load_pem_private_key
    return read(content, passphrase)


def _decrypted(content: bytes, passphrase: Passphrase | None, path: Path) -> object:
    if passphrase is None:
        raise BadConfiguration(
            "the signing key has a passphrase, which cannot be asked for here",
            where=str(path),
            next_step="Use a key without one",
        )
    try:
        return _parse(content, passphrase())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadConfiguration(
            "the passphrase does not open the signing key, or the file is damaged",
            where=str(path),
            next_step="Give the passphrase that the key was made with",
        ) from error


def _written(private: Private, passphrase: bytes) -> bytes:
    """The private key as it is kept: OpenSSH's form with a passphrase, PKCS#8 without."""
    if not passphrase:
        return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    encryption = PrivateFormat.OpenSSH.encryption_builder().kdf_rounds(_ROUNDS).build(passphrase)
    return private.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, encryption)


def write_once(path: Path, content: bytes, *, mode: int) -> None:
    """Write a file that was not there, durably. `OSError` otherwise; a file half written is removed."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        durably.sync(path.parent)
    except OSError:
        path.unlink()
        raise
