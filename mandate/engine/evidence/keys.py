"""The key that signs the evidence: Ed25519 in a PEM PKCS#8 file that only its owner can read.

`cryptography` signs, and not `securesystemslib`: importing the latter costs `mandate check` twice as much (28
against 15 ms of processor time), and its envelopes are read leniently, where ours must be read strictly. The
tests verify with `securesystemslib`, and its signers (KMS, PKCS#11) fit the `Signer` protocol.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from ..errors import BadConfiguration
from .public_keys import SUFFIX, PublicKey

_OTHERS = 0o077
"""Permission bits of everybody but the owner."""


class Signer(Protocol):
    """Whoever signs: a key file, or a key management service."""

    @property
    def public_key(self) -> PublicKey:
        """The key that verifies the signatures."""

    def sign(self, data: bytes) -> bytes:
        """The signature over `data`. `NotRecorded` if there is none to be had."""


@dataclass(frozen=True, slots=True, repr=False)
class SigningKey:
    """An Ed25519 private key in memory. It has no `repr` that could reach a log."""

    public_key: PublicKey
    _private: Ed25519PrivateKey

    @classmethod
    def of(cls, private: Ed25519PrivateKey) -> SigningKey:
        """The value for a key of `cryptography`."""
        return cls(PublicKey.of(private.public_key()), private)

    @property
    def keyid(self) -> str:
        """The SSH fingerprint, `SHA256:…`."""
        return self.public_key.keyid

    def sign(self, data: bytes) -> bytes:
        """The signature over `data`, 64 bytes."""
        return self._private.sign(data)


def create(path: Path) -> SigningKey:
    """Make a new key at `path` (mode 0600) with its public key beside it (`.pub`), durably.

    Nothing is ever overwritten: `BadConfiguration` if one of the two files exists or cannot be written.
    The folder is made (mode 0700) if it is not there.
    """
    private = Ed25519PrivateKey.generate()
    write_new(path, private)
    return SigningKey.of(private)


def write_new(path: Path, private: Ed25519PrivateKey | EllipticCurvePrivateKey) -> PublicKey:
    """Keep a private key at `path`, and its public key beside it, as `create` says."""
    key = PublicKey.of(private.public_key())
    public = path.with_suffix(SUFFIX)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # The public key goes first: if it is there already, no private key is left behind that nobody can
        # verify.
        _write_new(public, key.pem, mode=0o644)
        try:
            _write_new(
                path, private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), mode=0o600
            )
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


def load(path: Path) -> SigningKey:
    """The key in `path`. `BadConfiguration` if it cannot be used, or if others than its owner can read it."""
    private = load_private(path, advice="Run `mandate init`, or point `ledger.key` to the key that it made")
    if not isinstance(private, Ed25519PrivateKey):
        raise BadConfiguration(
            "the signing key is not an Ed25519 key",
            where=str(path),
            next_step="Point to the key that `mandate init` made",
        )
    return SigningKey.of(private)


def load_private(path: Path, *, advice: str) -> PrivateKeyTypes:
    """A private key of any kind. `BadConfiguration` as `load` says; `advice` is what to do about it."""
    try:
        with path.open("rb") as file:
            # Asked of the open file, not of the path: what is read is what was looked at.
            mode = os.fstat(file.fileno()).st_mode
            pem = file.read()
    except OSError as error:
        raise BadConfiguration(
            f"the signing key cannot be read: {error.strerror}", where=str(path), next_step=advice
        ) from error
    if mode & _OTHERS:
        raise BadConfiguration(
            f"others than its owner can use the signing key (mode {mode & 0o777:04o})",
            where=str(path),
            next_step="Run `chmod 600` on it, and replace the key if somebody may have read it",
        )
    try:
        return load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise BadConfiguration(
            "this is no private key in PEM without a passphrase", where=str(path), next_step=advice
        ) from error


def _write_new(path: Path, content: bytes, *, mode: int) -> None:
    """Write a file that was not there, durably. `OSError` otherwise; a file half written is removed."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        path.unlink()
        raise
