"""The address of a service: `http://`, `https://` or `unix://`, and how to get a connection to it."""

from __future__ import annotations

import os
import socket
import threading
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import BadConfiguration
from ..said import quoted
from .deadline import Deadline
from .urls import PORTS, split

if TYPE_CHECKING:
    import ssl

# `sun_path` of `struct sockaddr_un`, with its closing NUL: 108 on Linux, 104 on the BSDs and macOS.
LONGEST_SOCKET_PATH = 103


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a service listens."""

    url: str
    """As configured, for messages; it holds no secret."""
    host: str
    """Empty for a Unix socket."""
    port: int
    _: KW_ONLY
    socket_path: str | None = None
    prefix: str = ""
    """Before all paths there, without a slash at its end."""
    tls: ssl.SSLContext | None = None

    @property
    def authority(self) -> str:
        """The `Host` header."""
        if self.socket_path is not None:
            return "localhost"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS["https" if self.tls else "http"] else f"{host}:{self.port}"

    def connect(self, deadline: Deadline) -> socket.socket:
        """A connected socket, its TLS handshake done. `OSError` (`ssl.SSLError` is one) if there is none."""
        if self.socket_path is not None:
            return _connected(socket.AF_UNIX, self.socket_path, deadline)
        failure: OSError = ConnectionRefusedError("no address")
        for family, address in _addresses(self.host, self.port, deadline):
            try:
                plain = _connected(family, address, deadline)
            except TimeoutError:
                raise
            except OSError as error:
                failure = error
                continue
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return plain if self.tls is None else _secured(plain, self.tls, self.host, deadline)
        raise failure


def parse(url: str, ca: Path | None = None, *, of: str) -> Endpoint:
    """The endpoint that `url` names. `ca`: a PEM file with the only authorities to trust for `https://`.

    `of`: who listens there, for messages.

    `BadConfiguration` if the URL is of another form, or the file cannot be used.
    """
    if url.startswith("unix://"):
        return _unix(url, of)
    try:
        parts, port = split(url)
    except ValueError as error:
        raise _bad(url, of, str(error)) from error
    if parts.scheme not in PORTS or not parts.hostname:
        raise _bad(url, of, f"is not a URL of {of}")
    if parts.username is not None or parts.password is not None:
        # Not shown: it may be a secret.
        raise BadConfiguration(
            f"{of}'s URL holds a user name", next_step=f"Give the secret as {of}'s token, not in its URL"
        )
    if parts.query or parts.fragment:
        raise _bad(url, of, "has a query or a fragment")
    return Endpoint(
        url=url,
        host=parts.hostname,
        port=port or PORTS[parts.scheme],
        prefix=parts.path.rstrip("/"),
        tls=trusting(ca, of=of) if parts.scheme == "https" else None,
    )


def _unix(url: str, of: str) -> Endpoint:
    path = url.removeprefix("unix://")
    if not path.startswith("/") or "\0" in path:
        raise _bad(url, of, "names no absolute path")
    if len(os.fsencode(path)) > LONGEST_SOCKET_PATH:
        raise BadConfiguration(
            f"the path of {of}'s socket is longer than the {LONGEST_SOCKET_PATH} bytes that the system takes",
            where=quoted(url),
            next_step=f"Let {of} listen on a socket with a shorter path",
        )
    return Endpoint(url=url, host="", port=0, socket_path=path)


def trusting(ca: Path | None, *, of: str) -> ssl.SSLContext:
    """TLS that trusts the authorities in this PEM file alone, or those of the system.

    `BadConfiguration` if the file cannot be used. `of`: whose they are, for messages.
    """
    import ssl

    try:
        return ssl.create_default_context(cafile=None if ca is None else str(ca))
    except OSError as error:
        raise BadConfiguration(
            f"the certificate authorities for {of} cannot be read: {error.strerror or error}",
            where=str(ca),
            next_step="Name a PEM file with at least one certificate",
        ) from error


def show(context: ssl.SSLContext, certificate: Path, key: Path | None, *, of: str) -> None:
    """Let connections show this certificate (PEM, with those that lead to its authority behind it).

    `key`: PEM as well; `None` if it stands in the same file. `BadConfiguration` if they cannot be used. `of`:
    to whom it is shown, for messages.
    """

    def locked() -> str:
        # OpenSSL would ask the terminal, if there is one, and wait.
        raise BadConfiguration(
            f"the key of the certificate for {of} is under a passphrase, and nobody is there to be asked",
            where=str(key or certificate),
            next_step="Name a file with the key as it is, which nobody else can read",
        )

    try:
        context.load_cert_chain(certificate, key, locked)
    except OSError as error:
        raise BadConfiguration(
            f"the certificate for {of} cannot be used: {error.strerror or error}",
            where=str(certificate),
            next_step="Name a PEM file with a certificate, and one with its key",
        ) from error


def _bad(url: str, of: str, what: str) -> BadConfiguration:
    return BadConfiguration(
        f"{of}'s address {quoted(url)} {what}",
        next_step="Write http://host:port, https://host:port or unix:///path/of/the/socket",
    )


def _connected(family: int, address: Any, deadline: Deadline) -> socket.socket:
    plain = socket.socket(family, socket.SOCK_STREAM)
    try:
        plain.settimeout(deadline.remaining())
        plain.connect(address)
    except BaseException:
        plain.close()
        raise
    return plain


def _secured(plain: socket.socket, context: ssl.SSLContext, host: str, deadline: Deadline) -> socket.socket:
    try:
        plain.settimeout(deadline.remaining())
        # The handshake keeps to the socket's timeout as a whole.
        return context.wrap_socket(plain, server_hostname=host)
    except BaseException:
        plain.close()
        raise


def _addresses(host: str, port: int, deadline: Deadline) -> list[tuple[int, Any]]:
    """The host's addresses. A name is looked up in a thread: the system's resolver knows no deadline."""
    try:
        return _looked_up(host, port, socket.AI_NUMERICHOST)
    except socket.gaierror:
        pass
    except UnicodeError as error:  # raised before anything is looked up, such as for a label of 64 letters
        raise socket.gaierror("no host can have this name") from error
    found: list[tuple[int, Any]] = []
    failures: list[OSError] = []

    def look_up() -> None:
        try:
            found.extend(_looked_up(host, port, 0))
        except OSError as error:
            failures.append(error)

    thread = threading.Thread(target=look_up, name="mandate-look-up", daemon=True)
    thread.start()
    thread.join(deadline.remaining())
    if failures:
        raise failures[0]
    if not found:
        raise TimeoutError
    return found


def _looked_up(host: str, port: int, flags: int) -> list[tuple[int, Any]]:
    answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)
    return [(family, address) for family, _, _, _, address in answers]
