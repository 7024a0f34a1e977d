"""Certificates with their keys: an authority of our own, and what it issues for the service.

ECDSA P-256, which every TLS library takes. Certificates begin a little before they are made: clocks differ.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ..errors import BadRequest

_CLOCKS = timedelta(minutes=5)
_AUTHORITY_LIVES = timedelta(days=730)
_LEAF_LIVES = timedelta(days=90)
_NAME = "Mandate's own authority"
_USES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


@dataclass(frozen=True, slots=True, repr=False)
class Pair:
    """A certificate and its private key. It has no `repr` that could reach a log."""

    certificate: x509.Certificate
    _key: ec.EllipticCurvePrivateKey

    @property
    def made(self) -> datetime:
        """When it was made."""
        return self.certificate.not_valid_before_utc + _CLOCKS

    @property
    def expires(self) -> datetime:
        """When it expires."""
        return self.certificate.not_valid_after_utc

    @property
    def key_pem(self) -> bytes:
        """The private key, PEM PKCS#8 without a passphrase: whoever serves TLS must read it unattended."""
        return self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def issue(self, hosts: Sequence[str], now: datetime) -> Pair:
        """A certificate of a server under these names or addresses. `BadRequest` if one cannot be one."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Mandate")])
        builder = (
            _begun(subject, key, now, _LEAF_LIVES)
            .issuer_name(self.certificate.subject)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_may("digital_signature"), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.SubjectAlternativeName(_names(hosts)), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False
            )
        )
        return Pair(builder.sign(self._key, SHA256()), key)


def new_authority(now: datetime) -> Pair:
    """An authority that vouches for servers, and for no further authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    # Its time is in the name: two authorities that overlap are told apart by it.
    said = f"{_NAME}, {now:%Y-%m-%dT%H:%M:%SZ}"
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, said)])
    builder = (
        _begun(subject, key, now, _AUTHORITY_LIVES)
        .issuer_name(subject)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_may("key_cert_sign", "crl_sign"), critical=True)
    )
    return Pair(builder.sign(key, SHA256()), key)


def read(certificate: bytes, key: bytes) -> Pair | None:
    """The pair; `None` if either cannot be read, or if they do not fit each other."""
    try:
        first, *_ = x509.load_pem_x509_certificates(certificate)
        private = load_pem_private_key(key, password=None)
        public = first.public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
    if not isinstance(private, ec.EllipticCurvePrivateKey) or private.public_key() != public:
        return None
    return Pair(first, private)


def vouches(authority: x509.Certificate, issued: Pair, hosts: Sequence[str]) -> bool:
    """Whether this authority issued it, for exactly these hosts."""
    try:
        issued.certificate.verify_directly_issued_by(authority)
        found = issued.certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (InvalidSignature, ValueError, TypeError, x509.ExtensionNotFound):
        return False
    return set(found) == set(_names(hosts))


def certificates(pem: bytes) -> list[x509.Certificate]:
    """The certificates in a file; none if it cannot be read."""
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError:
        return []


def bundle(believed: Iterable[x509.Certificate]) -> bytes:
    """A file with these certificates."""
    return b"".join(each.public_bytes(Encoding.PEM) for each in believed)


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 of the certificate, in hexadecimal."""
    return certificate.fingerprint(SHA256()).hex()


def _begun(
    subject: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime, lives: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCKS)
        .not_valid_after(now + lives)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _may(*uses: str) -> x509.KeyUsage:
    return x509.KeyUsage(**{use: use in uses for use in _USES})


def _names(hosts: Sequence[str]) -> list[x509.GeneralName]:
    names: list[x509.GeneralName] = []
    for host in hosts:
        try:
            names.append(x509.IPAddress(ipaddress.ip_address(host)))
        except ValueError:
            try:
                names.append(x509.DNSName(host))
            except ValueError as error:
                raise BadRequest(
                    "a certificate cannot be made out to this name",
                    where=f"--host {host!r}",
                    next_step="Write it in ASCII, such as mandate.mandate.svc",
                ) from error
    return names
