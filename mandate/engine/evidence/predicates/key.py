"""A public key as it is stated."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from ...input.base import Frozen
from ..public_keys import PublicKey
from .base import Digest, StatementSubject


class KeyStated(Frozen):
    """A public key, in full: who has the entry needs no other file to know it."""

    keyid: str
    """The SSH fingerprint, `SHA256:…`."""
    pem: str
    """PEM `SubjectPublicKeyInfo`."""

    @classmethod
    def of(cls, key: PublicKey) -> KeyStated:
        """The value for a key."""
        return cls(keyid=key.keyid, pem=key.pem.decode("ascii"))

    def public_key(self) -> PublicKey:
        """The key. `ValueError` if the PEM is none, which `contradictions` would have said."""
        return PublicKey.of(load_pem_public_key(self.pem.encode()))

    @property
    def subject(self) -> StatementSubject:
        """The key as what a statement is about: its digest is over the PEM."""
        return StatementSubject(
            name=self.keyid, digest=Digest(sha256=hashlib.sha256(self.pem.encode()).hexdigest())
        )

    def contradictions(self) -> Iterator[str]:
        """Whether the fingerprint is that of the key."""
        try:
            key = self.public_key()
        except (ValueError, UnsupportedAlgorithm):
            yield f"the PEM of the key {ascii(self.keyid)[1:-1][:100]} is none"
        else:
            if KeyStated.of(key) != self:
                yield f"the PEM is not that of the key {ascii(self.keyid)[1:-1][:100]}"
