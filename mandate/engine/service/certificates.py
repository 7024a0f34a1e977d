"""The service's certificates, read again when their files change, without a restart.

What is new makes a context of its own, in which each connection begins from then on: files that do not fit
each other leave the one before in use, which the log says. Nothing is ever loaded into a context in use: a
pair that does not fit would break every handshake, and an authority that was withdrawn would be trusted until
a restart. Nor does a connection change its context: the first one keeps its session, and a session that is
resumed is not verified again.
"""

from __future__ import annotations

import logging
import ssl
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificates

from ..errors import BadConfiguration
from .vouched import Context

_log = logging.getLogger(__name__)
_EVERY_SECONDS = 1.0


class Certificates:
    """A TLS context that follows its files, from `watch` on."""

    def __init__(self, certificate: Path, key: Path, client_ca: Path | None) -> None:
        self._files = tuple(path for path in (certificate, key, client_ca) if path is not None)
        self._certificate, self._key, self._client_ca = certificate, key, client_ca
        self._seen = self._stamps()
        self._refusal: str | None = None
        self._used, self.expires = self._fresh()
        self.context = _Front(lambda: self._used)
        """What the server is given: it stays the same, and begins each connection in the context in use."""

    @property
    def authorities(self) -> frozenset[bytes]:
        """Those that are trusted to vouch for clients now: certificates, DER."""
        return self._used.authorities

    def watch(self, changed: Callable[[datetime], None] = lambda _: None) -> None:
        """Look after the files from now on; `changed` is told when a new certificate expires."""
        changed(self.expires)
        threading.Thread(
            target=self._follow, args=(changed,), name="mandate-certificates", daemon=True
        ).start()

    def look(self) -> bool:
        """Take what is new into use; whether something was."""
        stamps = self._stamps()
        if stamps == self._seen:
            return False
        try:
            used, expires = self._fresh()
        except BadConfiguration as error:
            # Not seen: files change one after the other, and the next look may find a pair that fits.
            if self._refusal != error.what:
                _log.error("the new certificate is not used: %s", error)
            self._refusal = error.what
            return False
        if used.authorities == self.authorities:
            used.authorities = self.authorities  # by its identity, others tell that nothing changed
        self._seen, self._used, self.expires, self._refusal = stamps, used, expires, None
        _log.info("a new certificate is used", extra={"expires": expires.isoformat()})
        return True

    def _follow(self, changed: Callable[[datetime], None]) -> None:
        while True:
            time.sleep(_EVERY_SECONDS)
            if self.look():
                changed(self.expires)

    def _fresh(self) -> tuple[Context, datetime]:
        """A context of the files as they are, and when the certificate expires. `BadConfiguration` unless
        they fit each other."""
        context = Context(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            context.load_cert_chain(self._certificate, self._key, self._locked)
            if self._client_ca is not None:
                trusted = load_pem_x509_certificates(self._client_ca.read_bytes())
                context.authorities = frozenset(each.public_bytes(Encoding.DER) for each in trusted)
                context.load_verify_locations(cadata=b"".join(context.authorities))
                # Who shows none may have a token; who shows one that does not verify is not let in.
                context.verify_mode = ssl.CERT_OPTIONAL
            first, *_ = load_pem_x509_certificates(self._certificate.read_bytes())
            expires = first.not_valid_after_utc
        except (OSError, ValueError) as error:
            raise self._bad(str(error)) from error
        if expires <= datetime.now(UTC):
            raise self._bad(f"it expired on {expires:%Y-%m-%d}")
        return context, expires

    def _locked(self) -> str:
        # OpenSSL would ask the terminal, if there is one, and wait.
        raise self._bad("its key is under a passphrase, and nobody is there to be asked")

    def _bad(self, what: str) -> BadConfiguration:
        return BadConfiguration(
            f"the certificate cannot be used: {what}",
            where=str(self._certificate),
            next_step="Correct service.tls, or the files that it names",
        )

    def _stamps(self) -> tuple[tuple[int, int] | None, ...]:
        return tuple(_stamp(path) for path in self._files)


class _Front(ssl.SSLContext):
    """A context that others stand behind: nothing is ever set in it itself."""

    _used: Callable[[], Context]

    def __new__(cls, _used: Callable[[], Context]) -> Self:
        return super().__new__(cls, ssl.PROTOCOL_TLS_SERVER)

    def __init__(self, used: Callable[[], Context]) -> None:
        self._used = used

    def wrap_bio(self, *args: Any, **kwargs: Any) -> ssl.SSLObject:
        """As event loops begin TLS on a connection."""
        return self._used().wrap_bio(*args, **kwargs)


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino
