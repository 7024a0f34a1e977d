"""Keys of an ssh-agent, which signs and never gives a key away.

The protocol (draft-ietf-sshm-ssh-agent): each message is its length in four bytes, one byte that says what it
is, and fields as in RFC 4251. Two requests are needed, the list of keys and a signature, so this is our own
code: the libraries that speak it (Paramiko, AsyncSSH) are whole SSH implementations. An agent signs the
data as it is, so what it makes of Ed25519 is the plain signature that DSSE carries.
"""

from __future__ import annotations

import base64
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from ...errors import BadConfiguration, NotRecorded
from ..keys import Signer
from ..public_keys import FINGERPRINT, PublicKey

_SOCKET = "SSH_AUTH_SOCK"
_LIST, _LISTED, _SIGN, _SIGNED = 11, 12, 13, 14
_MAX_BYTES = 256 * 1024
"""OpenSSH's agent reads no longer message."""
_MAX_KEYS = 1000
_SECONDS = 60.0
"""For one answer: a person may have to confirm it."""


@dataclass(frozen=True, slots=True)
class _Identity:
    """A key that an agent has."""

    key: PublicKey
    blob: bytes
    """The public key in SSH wire format."""
    comment: str

    def __str__(self) -> str:
        return f"{self.key.keyid} ({ascii(self.comment)[1:-1]})"


@dataclass(frozen=True, slots=True)
class AgentKey:
    """A key of an ssh-agent."""

    public_key: PublicKey
    blob: bytes
    """The public key in SSH wire format."""
    agent: str
    """The agent's socket."""

    def sign(self, data: bytes) -> bytes:
        """The signature over `data`. `NotRecorded` if the agent is gone or gives none."""
        request = bytes([_SIGN]) + _string(self.blob) + _string(data) + bytes(4)
        try:
            signature = _Fields(_ask(self.agent, request, _SIGNED)).only_string()
            return _plain(signature, self.public_key)
        except _Unreadable as error:
            raise _unreadable(self.agent) from error


def signer(which: str) -> Signer:
    """The agent's key with this fingerprint (`SHA256:…`) or comment; for `""`, its only Ed25519 key.

    `BadConfiguration` if there is none or more than one, `NotRecorded` if the agent does not answer.
    """
    path = os.environ.get(_SOCKET)
    if not path:
        raise BadConfiguration(
            "there is no ssh-agent",
            where=_SOCKET,
            next_step="Name a key file, or start an agent (`eval $(ssh-agent)`) and add a key (`ssh-add`)",
        )
    try:
        identities = [*_identities(path)]
    except _Unreadable as error:
        raise _unreadable(path) from error
    found = [each for each in identities if _is_meant(each, which)]
    if len(found) != 1:
        raise _not_one(which, found, identities)
    return AgentKey(found[0].key, found[0].blob, path)


def _is_meant(identity: _Identity, which: str) -> bool:
    if not which:
        return isinstance(identity.key.key, Ed25519PublicKey)
    return which == (identity.key.keyid if which.startswith(FINGERPRINT) else identity.comment)


def _not_one(which: str, found: list[_Identity], identities: list[_Identity]) -> BadConfiguration:
    whose = f"key {ascii(which)[1:-1]}" if which else "Ed25519 key"
    if found:
        return BadConfiguration(
            f"the ssh-agent has more than one {whose}: {', '.join(map(str, found))}",
            next_step="Name one by its fingerprint: ssh-agent:SHA256:…",
        )
    has = f"it has {', '.join(map(str, identities))}" if identities else "it has none that can sign evidence"
    return BadConfiguration(
        f"the ssh-agent does not have the {whose}; {has}"
        if which
        else f"the ssh-agent has no {whose}; {has}",
        next_step="Add the key (`ssh-add FILE`), or unlock the agent (`ssh-add -X`)",
    )


def _identities(path: str) -> Iterator[_Identity]:
    """The agent's keys of a kind that signs evidence; certificates and keys on FIDO tokens do not."""
    answer = _Fields(_ask(path, bytes([_LIST]), _LISTED))
    for _ in range(answer.number(at_most=_MAX_KEYS)):
        blob, comment = answer.string(), answer.string()
        type_ = _Fields(blob).string().decode("ascii", "replace")
        try:
            key = PublicKey.from_ssh(f"{type_} {base64.b64encode(blob).decode()}")
        except ValueError:
            continue
        yield _Identity(key, blob, comment.decode("utf-8", "replace"))
    answer.end()


def _plain(signature: bytes, key: PublicKey) -> bytes:
    """The signature inside the agent's: 64 bytes of Ed25519, or an ECDSA signature in DER."""
    fields = _Fields(signature)
    fields.string()  # its type: a signature of another kind does not verify
    made = fields.string()
    fields.end()
    if isinstance(key.key, Ed25519PublicKey):
        return made
    numbers = _Fields(made)
    r, s = (int.from_bytes(numbers.string()) for _ in range(2))
    numbers.end()
    return encode_dss_signature(r, s)


def _ask(path: str, request: bytes, expected: int) -> bytes:
    """The agent's answer of the expected kind, without its kind. `NotRecorded` if there is none."""
    if len(request) > _MAX_BYTES:
        raise NotRecorded(
            f"an ssh-agent signs no more than {_MAX_BYTES} bytes at once",
            where=path,
            next_step="Sign with a key file, or make the document smaller",
        )
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(_SECONDS)
            connection.connect(path)
            connection.sendall(_string(request))
            answer = _received(connection, int.from_bytes(_received(connection, 4)))
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise NotRecorded(
            f"the ssh-agent does not answer: {reason}",
            where=path,
            next_step=f"Start it again, and let {_SOCKET} name its socket",
        ) from error
    if answer[:1] != bytes([expected]):
        raise NotRecorded(
            "the ssh-agent refuses to sign",
            where=path,
            next_step="Confirm it where the agent asks, unlock the agent, or add the key again",
        )
    return answer[1:]


def _received(connection: socket.socket, length: int) -> bytes:
    """So many bytes. `ValueError` if there are fewer, or if they are too many to be an answer."""
    if length > _MAX_BYTES:
        raise ValueError("its answer is too long")
    received = b""
    while len(received) < length:
        part = connection.recv(length - len(received))
        if not part:
            raise ValueError("it hung up")
        received += part
    return received


class _Unreadable(Exception):
    """The agent's answer is not what the protocol says."""


def _unreadable(path: str) -> NotRecorded:
    return NotRecorded("the ssh-agent's answer is not one", where=path, next_step="Use OpenSSH's agent")


class _Fields:
    """The fields of a message, one after the other."""

    def __init__(self, data: bytes) -> None:
        self._rest = data

    def number(self, *, at_most: int) -> int:
        """The next field, four bytes."""
        number = int.from_bytes(self._take(4))
        if number > at_most:
            raise _Unreadable
        return number

    def string(self) -> bytes:
        """The next field: its length, and so many bytes."""
        return self._take(self.number(at_most=_MAX_BYTES))

    def only_string(self) -> bytes:
        """The only field."""
        string = self.string()
        self.end()
        return string

    def end(self) -> None:
        """Nothing may be left."""
        if self._rest:
            raise _Unreadable

    def _take(self, length: int) -> bytes:
        taken, self._rest = self._rest[:length], self._rest[length:]
        if len(taken) < length:
            raise _Unreadable
        return taken


def _string(data: bytes) -> bytes:
    return len(data).to_bytes(4) + data
