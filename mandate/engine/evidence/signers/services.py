"""Keys in a PKCS#11 token or a key management service, through `securesystemslib`'s signers.

They sign with ECDSA P-256 for the most part (a token always): that is good for envelopes, and not for the
heads of the log, whose format knows Ed25519 only.
"""

from __future__ import annotations

import threading
from typing import Any

from ...errors import BadConfiguration, MandateError, NotRecorded
from ..keys import Signer
from ..public_keys import PublicKey
from .secrets import Secrets

_WRONG_PIN = frozenset(("PinIncorrect", "PinLenRange", "PinInvalid", "PinLocked", "PinExpired"))
"""Errors of `python-pkcs11`, by name: it is there only if somebody has a token."""


def signer(uri: str, public_key: PublicKey, *, extra: str, secrets: Secrets) -> Signer:
    """Whoever signs behind a URI of `securesystemslib`; `extra` is what that needs.

    `BadConfiguration` if the URI is wrong or what it needs is not installed.
    """
    key = ServiceKey(public_key, uri, secrets)
    try:
        from securesystemslib.exceptions import UnsupportedLibraryError
    except ImportError as error:
        raise _not_installed(uri, extra) from error
    try:
        key.connect()
    except UnsupportedLibraryError as error:
        raise _not_installed(uri, extra) from error
    except Exception as error:
        # Its documentation: each signer may raise whatever the library of its service raises.
        raise BadConfiguration(
            f"the signing key cannot be used: {_said(error)}",
            where=ascii(uri)[1:-1],
            next_step="Correct the URI, or what that service's own configuration says",
        ) from error
    return key


class ServiceKey:
    """A key that a token or a service keeps."""

    def __init__(self, public_key: PublicKey, uri: str, secrets: Secrets) -> None:
        self._public_key = public_key
        self._uri = uri
        self._where = ascii(uri)[1:-1]
        self._secrets = secrets
        self._known: dict[str, str] = {}
        self._refused = ""
        self._one_at_a_time = threading.Lock()

    @property
    def public_key(self) -> PublicKey:
        """The key that verifies the signatures."""
        return self._public_key

    def connect(self) -> None:
        """Get ready to sign. Whatever the library of the service raises, if that fails."""
        from securesystemslib.signer import Signer as ServiceSigner
        from securesystemslib.signer import SSlibKey

        public = SSlibKey.from_crypto(self._public_key.key, keyid=self._public_key.keyid)
        self._signer: Any = ServiceSigner.from_priv_key_uri(self._uri, public, self._secret)

    def sign(self, data: bytes) -> bytes:
        """The signature over `data`. `NotRecorded` if there is none, `BadConfiguration` for a wrong PIN."""
        with self._one_at_a_time:  # a token has one session
            # Three wrong PINs lock a token: a wrong one is tried once.
            if self._refused:
                raise self._wrong_pin()
            signature = self._signed(data)
        if not self._public_key.verifies(signature, data):
            raise BadConfiguration(
                f"what it signs does not verify with the public key {self._public_key.keyid}",
                where=self._where,
                next_step="Name the .pub file that belongs to this key, in ledger.public_key",
            )
        return signature

    def _signed(self, data: bytes) -> bytes:
        try:
            return bytes.fromhex(self._signer.sign(data).signature)
        except MandateError:
            raise
        except Exception as error:
            if type(error).__name__ in _WRONG_PIN:
                self._refused = _said(error)
                raise self._wrong_pin() from error
            raise NotRecorded(
                f"there is no signature: {_said(error)}",
                where=self._where,
                next_step="Look whether the token is there, or the service answers",
            ) from error

    def _wrong_pin(self) -> BadConfiguration:
        return BadConfiguration(
            f"the token refuses the PIN: {self._refused}",
            where=self._where,
            next_step=f"Correct {self._secrets.prefix}_PIN before the token is locked",
        )

    def _secret(self, name: str) -> str:
        if name not in self._known:
            self._known[name] = self._secrets.secret(name, f"the key {self._where}")
        return self._known[name]


def _not_installed(uri: str, extra: str) -> BadConfiguration:
    package = "mandate[hsm]" if extra == "hsm" else f"securesystemslib[{extra}]"
    return BadConfiguration(
        "what this kind of signing key needs is not installed",
        where=ascii(uri)[1:-1],
        next_step=f"Run `pip install '{package}'`",
    )


def _said(error: Exception) -> str:
    """What another library says, in one line of bounded length."""
    text = ascii(str(error))[1:-1][:300]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
