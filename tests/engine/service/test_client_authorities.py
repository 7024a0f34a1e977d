"""Connections that are kept, and the authority that vouched for whoever is at the other end."""

from __future__ import annotations

import json
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest

from mandate.engine.service import vouched
from mandate.engine.service.access.roles import Role
from tests.authority import Authority
from tests.organisation import GOOD
from tests.service import CA, TLS, TOKENS, Serving, context, serving

QUESTION = json.dumps({"input": GOOD}).encode()
PATIENCE = 20
FIRST, SECOND = Authority("first"), Authority("second")


class Kept:
    """A connection that is kept."""

    def __init__(self, session: ssl.SSLSocket) -> None:
        self._session = session
        self._answers = session.makefile("rb")

    def close(self) -> None:
        self._answers.close()

    def send(self, content: bytes) -> None:
        self._session.sendall(content)

    def ask(self, *, token: str | None = None) -> int:
        self.send(request(token=token))
        return self.answer()[0]

    def answer(self) -> tuple[int, dict[str, str]]:
        """The status and the headers of the next answer; 0 if the connection ended."""
        try:
            if not (line := self._answers.readline()):
                return 0, {}
        except (ssl.SSLEOFError, ConnectionResetError):
            return 0, {}
        headers = {}
        while head := self._answers.readline().strip():
            name, _, value = head.decode().partition(": ")
            headers[name.lower()] = value
        self._answers.read(int(headers["content-length"]))
        return int(line.split()[1]), headers


def request(*, token: str | None = None) -> bytes:
    head = ["POST /v1/decisions HTTP/1.1", "Host: localhost", "Content-Type: application/json"]
    head += [f"Content-Length: {len(QUESTION)}"] + ([f"Authorization: Bearer {token}"] if token else [])
    return "\r\n".join([*head, "", ""]).encode() + QUESTION


@dataclass(frozen=True)
class Secured:
    """A service that knows deciders by certificates of the authorities that it trusts now."""

    service: Serving
    folder: Path
    stack: ExitStack

    def trust(self, *authorities: Authority) -> None:
        pem = b"".join(each.write(self.folder / "one.pem").read_bytes() for each in authorities)
        (fresh := self.folder / "fresh.pem").write_bytes(pem)
        fresh.replace(self.folder / CA)
        assert self.service.certificates is not None
        self.service.certificates.look()

    def session(
        self, trusted: ssl.SSLContext, resumed: ssl.SSLSession | None = None
    ) -> tuple[ssl.SSLSocket, Kept]:
        url = self.service.client.base_url
        plain = socket.create_connection((url.host, url.port or 0), timeout=PATIENCE)
        made = trusted.wrap_socket(plain, server_hostname="localhost", session=resumed)
        session = self.stack.enter_context(made)
        kept = Kept(session)
        self.stack.callback(kept.close)
        return session, kept

    def connection(self, authority: Authority | None, *, days: float = 1) -> Kept:
        """One of a decider whom this authority vouches for; without a certificate for `None`."""
        (own := self.folder / "own").mkdir(exist_ok=True)
        pair = None if authority is None else authority.issue(own, "decider", days=days)
        return self.session(context(self.folder / "ours.pem", pair))[1]

    @property
    def recorded(self) -> int:
        return len(self.service.organisation.decisions())


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("secured")
    FIRST.issue(folder, "server")
    FIRST.write(folder / "ours.pem")
    FIRST.write(folder / CA)
    with serving(folder, tls=TLS) as service:
        yield service


@pytest.fixture
def secured(running: Serving) -> Iterator[Secured]:
    with ExitStack() as stack:
        here = Secured(running, running.organisation.folder, stack)
        here.trust(FIRST, SECOND)
        yield here


def test_a_kept_connection_ends_with_the_authority_that_vouched_for_it(secured: Secured) -> None:
    old, by_token = secured.connection(FIRST), secured.connection(None)
    token = TOKENS[Role.DECIDER][0]
    assert (old.ask(), by_token.ask(token=token)) == (200, 200)
    before = secured.recorded
    secured.trust(SECOND)
    assert old.answer() == (0, {})
    assert secured.recorded == before
    # Nobody vouched for whoever shows a token.
    assert by_token.ask(token=token) == 200
    assert secured.connection(SECOND).ask() == 200


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
def test_no_session_is_resumed_that_an_authority_vouched_for_which_is_withdrawn(
    secured: Secured, version: ssl.TLSVersion
) -> None:
    (own := secured.folder / "own").mkdir(exist_ok=True)
    trusted = context(secured.folder / "ours.pem", FIRST.issue(own, "decider"))
    trusted.minimum_version = trusted.maximum_version = version
    session, kept = secured.session(trusted)

    def again() -> tuple[bool, int]:
        other, resuming = secured.session(trusted, session.session)
        return bool(other.session_reused), resuming.ask()

    assert kept.ask() == 200
    assert again() == (True, 200)
    secured.trust(SECOND)
    # The handshake fails; in TLS 1.3 the client learns of it when it reads.
    with suppress(OSError):
        assert again() == (False, 0)


def test_what_is_sent_as_an_authority_is_withdrawn_is_not_decided(secured: Secured) -> None:
    """The head of a request arrives, and before its end the authority is withdrawn."""
    old = secured.connection(FIRST)
    assert old.ask() == 200
    before = secured.recorded
    old.send(request()[:40])
    time.sleep(0.1)
    secured.trust(SECOND)
    old.send(request()[40:])
    assert old.answer()[0] == 0
    assert secured.recorded == before


def test_what_was_begun_before_is_answered_and_is_the_last(secured: Secured) -> None:
    old, whole = secured.connection(FIRST), request()
    old.send(whole[:-9])
    time.sleep(1)
    secured.trust(SECOND)
    time.sleep(1)
    old.send(whole[-9:])
    status, headers = old.answer()
    assert (status, headers["connection"]) == (200, "close")
    assert old.answer() == (0, {})


def test_connections_are_kept_when_another_authority_is_trusted_as_well(secured: Secured) -> None:
    secured.trust(FIRST)
    kept = secured.connection(FIRST)
    assert kept.ask() == 200
    secured.trust(FIRST, SECOND)
    time.sleep(0.3)
    assert kept.ask() == 200


def test_a_kept_connection_ends_with_its_certificate(
    secured: Secured, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = secured.connection(FIRST, days=0.5)
    assert short.ask() == 200
    before, later = secured.recorded, time.time() + 43_200
    monkeypatch.setattr(vouched, "time", SimpleNamespace(time=lambda: later))
    assert short.ask() == 0
    assert secured.recorded == before
