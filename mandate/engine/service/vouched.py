"""Whether the authority that vouched for a client, when its connection was made, still does.

A connection is kept for as long as its client likes. What OpenSSL verified in the handshake, it never looks
at again: an authority that is withdrawn later, and a certificate that expires, would count on until the end.
So a connection counts while each authority that was trusted when it was made is trusted, which can be told
without the chain that the client sent. When one is withdrawn, clients of the others connect once more.
"""

from __future__ import annotations

import ssl
import time
from dataclasses import dataclass
from typing import Any, Protocol


class Context(ssl.SSLContext):
    """A context of the server's, and whom it trusts to vouch for clients."""

    authorities: frozenset[bytes] = frozenset()
    """The certificates, DER."""


class Trusting(Protocol):
    """Whoever knows whom the service trusts."""

    @property
    def authorities(self) -> frozenset[bytes]:
        """The certificates of those that are trusted now, DER; the same object until that changes."""


@dataclass(frozen=True, slots=True)
class Client:
    """A client that showed a certificate, which was verified."""

    subject: str
    """As RFC 4514 writes it."""
    expires: float
    """Seconds since 1970."""
    authorities: frozenset[bytes]
    """Those of whom one vouched for it."""

    def counts(self, trusting: Trusting) -> bool:
        """Whether it would be let in today."""
        now = trusting.authorities
        known = self.authorities is now or self.authorities <= now
        return known and time.time() < self.expires


def client(transport: Any) -> Client | None:
    """Who is at the other end; `None` if no certificate says."""
    session: ssl.SSLObject | None = transport.get_extra_info("ssl_object")
    der = None if session is None else session.getpeercert(binary_form=True)
    if session is None or not der:
        return None
    from cryptography.x509 import load_der_x509_certificate

    certificate = load_der_x509_certificate(der)
    context = session.context
    assert isinstance(context, Context)  # noqa: S101  (no other is ever in use)
    return Client(
        certificate.subject.rfc4514_string(),
        certificate.not_valid_after_utc.timestamp(),
        context.authorities,
    )
