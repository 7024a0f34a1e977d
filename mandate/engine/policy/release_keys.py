"""The keys of whoever releases policies: never the ledger's.

The algorithm follows from the key: EdDSA for Ed25519, ES256 for ECDSA on P-256. OPA 1.22.2 knows EdDSA on its
command line only; in the `keys` of its configuration it takes ES256 (see opa/README.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from ..errors import BadConfiguration
from ..evidence import keys
from ..evidence.public_keys import PublicKey
from ..evidence.public_keys import load as load_public

EDDSA = "EdDSA"
ES256 = "ES256"

PRIVATE_ADVICE = "Name the private key with --key, or make one with --new-key"
_PUBLIC_ADVICE = "Name the public key of whoever releases the policies, a .pub file"


@dataclass(frozen=True, slots=True)
class VerificationKey:
    """The public key of whoever releases policies."""

    public: PublicKey

    @classmethod
    def load(cls, file: Path) -> Self:
        """The key in a PEM file. `BadConfiguration` if there is none."""
        return cls(load_public(file, advice=_PUBLIC_ADVICE))

    @property
    def keyid(self) -> str:
        """The SSH fingerprint, `SHA256:…`."""
        return self.public.keyid

    @property
    def algorithm(self) -> str:
        """As JSON Web Signatures name it: `EdDSA` or `ES256`."""
        return EDDSA if isinstance(self.public.key, Ed25519PublicKey) else ES256


@dataclass(frozen=True, slots=True)
class ReleaseKey:
    """The private key of whoever releases policies: a file, which OPA reads."""

    file: Path
    verification: VerificationKey

    @classmethod
    def load(cls, file: Path) -> Self:
        """The key in a PEM file. `BadConfiguration` if there is none, or if others can read it."""
        private = keys.load_private(file, advice=PRIVATE_ADVICE)
        try:
            public = PublicKey.of(private.public_key())
        except ValueError as error:
            raise BadConfiguration(
                "policies are signed with an Ed25519 or an ECDSA P-256 key",
                where=str(file),
                next_step=PRIVATE_ADVICE,
            ) from error
        return cls(file.absolute(), VerificationKey(public))

    @classmethod
    def create(cls, file: Path, algorithm: str) -> Self:
        """A new key for `algorithm`, as `evidence.keys.create` makes them. `BadConfiguration` likewise."""
        private = Ed25519PrivateKey.generate() if algorithm == EDDSA else generate_private_key(SECP256R1())
        return cls(file.absolute(), VerificationKey(keys.write_new(file, private)))
