"""Public keys: who signed, and whether the signature is right.

A key is known by its SSH fingerprint (`ssh-keygen -lf` prints the same): `SHA256:` and the unpadded standard
base64 of SHA-256 over the public key in SSH wire format. Cosign finds keys by this id and by no other.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
    load_ssh_public_key,
)

from ..errors import BadConfiguration

SUFFIX = ".pub"
"""How a public key's file name ends."""
FINGERPRINT = "SHA256:"
"""How a key's id begins."""
_SSH_TYPES = ("ssh-ed25519", "ecdsa-sha2-nistp256")


@dataclass(frozen=True, slots=True)
class PublicKey:
    """An Ed25519 key, or an ECDSA key on P-256 (signatures over SHA-256, in DER)."""

    keyid: str
    """The SSH fingerprint, `SHA256:…`."""
    key: Ed25519PublicKey | EllipticCurvePublicKey

    @classmethod
    def of(cls, key: object) -> PublicKey:
        """The value for a key of `cryptography`. `ValueError` if it is of another kind."""
        if isinstance(key, Ed25519PublicKey) or (
            isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1)
        ):
            return cls(_fingerprint(key), key)
        raise ValueError("neither an Ed25519 nor an ECDSA P-256 key")

    @classmethod
    def from_ssh(cls, line: str) -> PublicKey:
        """The key in a line as `ssh-keygen` writes it: `ssh-ed25519 AAAA… comment`.

        `ValueError` for everything else: options before the type, a certificate, a key of another kind (also
        one on a FIDO token, which signs more than the data), a second line, another spelling of the same key.
        """
        line = line.removesuffix("\n")
        type_, encoded = [*line.split(" ", 2), ""][:2]
        if type_ not in _SSH_TYPES or not line.isprintable():
            raise ValueError(f"not one line with an SSH public key of type {' or '.join(_SSH_TYPES)}")
        spelt = f"{type_} {encoded}"
        try:
            key = cls.of(load_ssh_public_key(spelt.encode()))
        except (ValueError, UnsupportedAlgorithm) as error:
            raise ValueError("the SSH public key is damaged") from error
        if key.ssh != spelt:
            raise ValueError("the SSH public key is not spelt as SSH spells it")
        return key

    def verifies(self, signature: bytes, data: bytes) -> bool:
        """Whether this key made `signature` over `data`."""
        try:
            if isinstance(self.key, Ed25519PublicKey):
                self.key.verify(signature, data)
            else:
                self.key.verify(signature, data, ECDSA(SHA256()))
        except InvalidSignature:
            return False
        return True

    @property
    def pem(self) -> bytes:
        """The key as PEM `SubjectPublicKeyInfo`, as Cosign and OpenSSL read it."""
        return self.key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    @property
    def ssh(self) -> str:
        """The key as SSH writes it, `<type> <base64>`, without a comment."""
        return self.key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode("ascii")

    @property
    def algorithm(self) -> str:
        """`Ed25519` or `ECDSA P-256`."""
        return "Ed25519" if isinstance(self.key, Ed25519PublicKey) else "ECDSA P-256"


def keyring(*keys: PublicKey) -> Mapping[str, PublicKey]:
    """The keys by their ids: whose signatures count."""
    return {key.keyid: key for key in keys}


class Believed(Mapping[str, PublicKey]):
    """Whose signatures count: the ledger's own keys by their ids, and beside them those of people.

    What a person signs is no word of the ledger's, nor the other way round: a key of a person signs nothing
    but what that person says.
    """

    def __init__(
        self, own: Mapping[str, PublicKey], people: Callable[[str, str], Mapping[str, PublicKey]]
    ) -> None:
        """`people`: the keys of a person by the name and a revision of the policies; none if they know no
        such person, or are gone."""
        self._own = own
        self._people = people

    def of_person(self, name: str, revision: str) -> Mapping[str, PublicKey]:
        """The keys that were the person's, as those policies have it."""
        return self._people(name, revision)

    def __getitem__(self, keyid: str) -> PublicKey:
        return self._own[keyid]

    def __iter__(self) -> Iterator[str]:
        return iter(self._own)

    def __len__(self) -> int:
        return len(self._own)


def keys_of(keys: Mapping[str, PublicKey], signer: tuple[str, str] | None) -> Mapping[str, PublicKey]:
    """Those of the keys that may sign what a `predicates.base.Predicate.signer` says; of the ledger, its own.

    Where nothing is known of people, nothing that one of them signed is believed.
    """
    if signer is None:
        return keys
    return keys.of_person(*signer) if isinstance(keys, Believed) else {}


_ADVICE = "Point to the ledger's public key, the .pub file beside its signing key"


def load(path: Path, *, advice: str = _ADVICE) -> PublicKey:
    """The public key in a file, PEM or a line of SSH's.

    `BadConfiguration` if there is none; `advice` is what to do about it.
    """
    try:
        return _parse(path.read_bytes())
    except OSError as error:
        raise BadConfiguration(
            f"the public key cannot be read: {error.strerror}",
            where=str(path),
            next_step=advice,
        ) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadConfiguration(
            "this is no public key for Ed25519 or ECDSA P-256, neither in PEM nor as SSH writes it",
            where=str(path),
            next_step=advice,
        ) from error


def load_folder(folder: Path) -> Mapping[str, PublicKey]:
    """All public keys (`*.pub`) of a folder by their ids. `BadConfiguration` if there is none."""
    keys = keyring(*(load(path) for path in sorted(folder.glob(f"*{SUFFIX}"))))
    if not keys:
        raise BadConfiguration(
            "there is no public key (*.pub) here, so no signature can be verified",
            where=str(folder),
            next_step="Put the public keys here whose signatures count",
        )
    return keys


def _parse(content: bytes) -> PublicKey:
    if content.startswith(tuple(f"{type_} ".encode() for type_ in _SSH_TYPES)):
        return PublicKey.from_ssh(content.decode())
    return PublicKey.of(load_pem_public_key(content))


def _fingerprint(key: Ed25519PublicKey | EllipticCurvePublicKey) -> str:
    """The SSH fingerprint. An OpenSSH public key line is `<type> <base64 of the wire format>`."""
    wire = base64.b64decode(key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).split(b" ")[1])
    return FINGERPRINT + base64.b64encode(hashlib.sha256(wire).digest()).decode().rstrip("=")
