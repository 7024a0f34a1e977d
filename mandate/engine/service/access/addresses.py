"""Where an issuer's keys may be fetched: over TLS, or in plain text from this machine if that is allowed."""

from __future__ import annotations

from dataclasses import dataclass

from ...http.urls import PORTS, split

_LOOPBACK = ("127.0.0.1", "::1")
"""Not `localhost`: what a name means, others may say."""


@dataclass(frozen=True, slots=True)
class Address:
    """A URL, taken apart."""

    url: str
    secure: bool
    host: str
    port: int
    target: str
    """Path and query, as a request line has them."""


def address(url: str, *, plain_loopback: bool) -> Address:
    """The address that `url` is. `ValueError`, with the reason, if nothing is to be fetched from there."""
    try:
        parts, port = split(url)
    except ValueError as error:
        raise ValueError(f"it {error}") from error
    secure = parts.scheme == "https"
    if not secure and not (plain_loopback and parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise ValueError("it does not begin with https://")
    if not parts.hostname or parts.username is not None or parts.password is not None or parts.fragment:
        raise ValueError("it is not a host with a path: no user, no fragment")
    return Address(
        url=url,
        secure=secure,
        host=parts.hostname,
        port=port or PORTS[parts.scheme],
        target=(parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
    )
