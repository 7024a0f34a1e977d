"""Asking over HTTP: bounded in time and space, whatever the peer does."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from mandate.engine.errors import BadConfiguration, NotAnAnswer, OpaUnavailable
from mandate.engine.opa.client import OpaClient
from mandate.engine.opa.deadline import within
from mandate.engine.opa.process import LocalOpa
from tests.engine.http.peers import Peer, Script, read_request, response, saying, saying_once

from .answers import GOOD
from .conftest import OpaServer

QUESTION = b'{"request":{"environment":"staging"}}'
WHOLE = response(json.dumps(GOOD).encode())
Playing = Callable[[Script], Peer]


@pytest.fixture
def client() -> Iterator[Callable[..., OpaClient]]:
    """Makes clients that are closed when the test ends."""
    made: list[OpaClient] = []

    def make(
        url: str, *, timeout: float = 2.0, token: str | None = None, ca: Path | None = None
    ) -> OpaClient:
        made.append(OpaClient(url, timeout=timeout, token=token, ca=ca))
        return made[-1]

    yield make
    for one in made:
        one.close()


Clients = Callable[..., OpaClient]


def ask(client: OpaClient) -> object:
    return client.ask("mandate/main/decision", QUESTION)


# Real OPAs ---------------------------------------------------------------------------------------


def test_a_real_opa_answers_and_is_healthy(opa: Path, bundle: Path, client: Clients) -> None:
    with LocalOpa(opa, bundle) as running:
        asking = client(running.url)
        asking.health()
        answer = asking.ask("mandate/main/decision", QUESTION)
    assert answer.result == GOOD["result"]
    assert answer.opa_version == "1.22.2"
    assert sorted(answer.revisions) == ["authz", "mandate"]


def test_a_document_that_is_no_json_is_not_answered(opa_server: OpaServer, client: Clients) -> None:
    with pytest.raises(NotAnAnswer, match=r"status 400 instead of a decision.*invalid_parameter"):
        client(opa_server()).ask("mandate/main/decision", b'{"x":')


def test_an_opa_that_is_down_is_unavailable(client: Clients, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(OpaUnavailable) as down:
        ask(client(f"http://127.0.0.1:{port}"))
    assert str(down.value) == (
        f'OPA at "http://127.0.0.1:{port}": OPA cannot be asked: connection refused. '
        "Start OPA there, or correct its address."
    )
    with pytest.raises(OpaUnavailable, match="no such file or directory"):
        ask(client(f"unix://{tmp_path}/s"))
    with pytest.raises(OpaUnavailable, match="no such file or directory"):
        client(f"unix://{tmp_path}/s").health()


def test_a_host_name_that_nobody_knows_is_unavailable_in_time(client: Clients) -> None:
    start = time.monotonic()
    with pytest.raises(OpaUnavailable):
        ask(client("http://opa.invalid", timeout=1))
    with pytest.raises(OpaUnavailable, match="its host name is not known"):
        ask(client(f"http://{'x' * 64}.invalid", timeout=1))
    assert time.monotonic() - start < 3


# TLS ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a certificate for `localhost` (`cert.pem`) and its key (`key.pem`)."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return folder


@pytest.fixture
def secure_opa(opa: Path, bundle: Path, certificate: Path) -> Iterator[int]:
    """The port of a real OPA that speaks TLS."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    tls = (f"--tls-cert-file={certificate}/cert.pem", f"--tls-private-key-file={certificate}/key.pem")
    where = f"--addr=https://127.0.0.1:{port}"
    with subprocess.Popen(
        [opa, "run", "--server", where, *tls, "--log-level=error", "--skip-version-check", "--bundle", bundle]
    ) as process:
        while True:
            assert process.poll() is None
            try:
                socket.create_connection(("127.0.0.1", port)).close()
            except OSError:
                time.sleep(0.01)
            else:
                break
        yield port
        process.kill()


def test_tls_with_the_right_authority_answers(secure_opa: int, certificate: Path, client: Clients) -> None:
    asking = client(f"https://localhost:{secure_opa}", ca=certificate / "cert.pem")
    for _ in range(3):
        assert asking.ask("mandate/main/decision", QUESTION).result == GOOD["result"]


def test_tls_with_another_authority_or_name_is_unavailable(
    secure_opa: int, certificate: Path, client: Clients
) -> None:
    with pytest.raises(OpaUnavailable, match="CERTIFICATE_VERIFY_FAILED"):
        ask(client(f"https://localhost:{secure_opa}"))
    with pytest.raises(OpaUnavailable, match="CERTIFICATE_VERIFY_FAILED"):
        ask(client(f"https://127.0.0.1:{secure_opa}", ca=certificate / "cert.pem"))


def test_a_peer_that_does_not_speak_tls_is_unavailable(peer: Playing, client: Clients) -> None:
    def plain(connection: socket.socket, _number: int) -> None:
        connection.recv(1000)
        connection.sendall(
            response(b"Client sent an HTTP request to an HTTPS server", status="400 Bad Request")
        )

    url = peer(plain).url.replace("http://127.0.0.1", "https://localhost")
    with pytest.raises(OpaUnavailable, match="the secure connection failed"):
        ask(client(url))


def test_a_handshake_that_never_ends_is_unavailable_in_time(peer: Playing, client: Clients) -> None:
    url = peer(lambda connection, _: trickle(connection, b"\x16\x03\x03\x40\x00" + b"\0" * 500))
    start = time.monotonic()
    with pytest.raises(OpaUnavailable, match=r"no answer within 0\.4 s"):
        ask(client(url.url.replace("http://127.0.0.1", "https://localhost"), timeout=0.4))
    assert time.monotonic() - start < 20


# Other answers -----------------------------------------------------------------------------------


def refused(client: OpaClient) -> str:
    with pytest.raises(NotAnAnswer) as refusal:
        ask(client)
    assert str(refusal.value).isprintable()
    return refusal.value.what


def test_html_is_not_an_answer(peer: Playing, client: Clients) -> None:
    page = response(b"<html>\x1b[31mLogin</html>", content_type="text/html; charset=utf-8")
    assert refused(client(peer(saying(page)).url)) == (
        'the answer is not plain JSON but "text/html; charset=utf-8": "<html>\\x1b[31mLogin</html>"'
    )


@pytest.mark.parametrize(
    "content_type", ["", "text/plain", "application/jsonp", "application/x-ndjson", "json"]
)
def test_another_content_type_is_not_an_answer(peer: Playing, client: Clients, content_type: str) -> None:
    answer = response(json.dumps(GOOD).encode(), content_type=content_type)
    assert "not plain JSON" in refused(client(peer(saying(answer)).url))


def test_a_content_type_may_have_parameters(peer: Playing, client: Clients) -> None:
    answer = response(json.dumps(GOOD).encode(), content_type="Application/JSON; charset=utf-8")
    assert client(peer(saying(answer)).url).ask("x", QUESTION).result == GOOD["result"]


def test_compressed_bytes_are_not_an_answer(peer: Playing, client: Clients) -> None:
    answer = WHOLE.replace(b"Content-Type:", b"Content-Encoding: gzip\r\nContent-Type:")
    assert "not plain JSON" in refused(client(peer(saying(answer)).url))


@pytest.mark.parametrize(
    "status", ["201 Created", "204 No Content", "400 Bad Request", "500 Oops", "503 Busy"]
)
def test_another_status_is_not_an_answer(peer: Playing, client: Clients, status: str) -> None:
    answer = response(json.dumps(GOOD).encode(), status=status)
    assert refused(client(peer(saying_once(answer)).url)).startswith(
        f"status {status[:3]} instead of a decision"
    )


def test_a_redirection_is_not_followed(peer: Playing, client: Clients) -> None:
    elsewhere = peer(saying(WHOLE))
    answer = response(b"", status=f"307 Temporary Redirect\r\nLocation: {elsewhere.url}/")
    assert refused(client(peer(saying(answer)).url)).startswith("status 307")
    assert elsewhere.connections == 0


@pytest.mark.parametrize("status", ["401 Unauthorized", "403 Forbidden"])
def test_a_refusal_to_be_asked_says_so(peer: Playing, client: Clients, status: str) -> None:
    answer = response(b'{"code":"unauthorized"}', status=status)
    assert refused(client(peer(saying(answer)).url)).startswith("OPA refuses to be asked: status 40")


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x00\xff\x00\xff\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/3.0 200 OK\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 200 " + b"x" * 70_000,
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 101 + b"\r\n",
    ],
)
def test_what_is_not_http_is_not_an_answer(peer: Playing, client: Clients, garbage: bytes) -> None:
    assert "does not speak HTTP" in refused(client(peer(saying_once(garbage)).url))


CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"


def test_an_answer_in_chunks_is_read(peer: Playing, client: Clients) -> None:
    body = json.dumps(GOOD).encode()
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:10], body[10:])) + b"0\r\n\r\n"
    assert client(peer(saying(CHUNKED + chunks)).url).ask("x", QUESTION).result == GOOD["result"]


def endless(start: bytes, more: bytes) -> Script:
    def script(connection: socket.socket, _number: int) -> None:
        read_request(connection)
        connection.sendall(start)
        while True:
            connection.sendall(more)

    return script


MEGABYTE = b" " * (1 << 20)


@pytest.mark.parametrize(
    ("start", "more"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n", b" "),
        (b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n", MEGABYTE),
        (CHUNKED, b"100000\r\n" + MEGABYTE + b"\r\n"),
        (CHUNKED + b"-1\r\n", MEGABYTE),
        (b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n" * 50_000),
    ],
    ids=["announced", "until the end", "chunks", "negative chunk", "interim answers"],
)
def test_a_huge_answer_is_refused_and_not_read(
    peer: Playing, client: Clients, start: bytes, more: bytes
) -> None:
    assert refused(client(peer(endless(start, more)).url, timeout=20)) == "the answer is larger than 16 MiB"


def trickle(connection: socket.socket, answer: bytes) -> None:
    for byte in answer:
        connection.sendall(bytes([byte]))
        time.sleep(0.2)


@pytest.mark.parametrize("fast", [0, 60, len(WHOLE) - 100], ids=["head", "headers", "body"])
def test_a_trickling_answer_is_unavailable_in_time(peer: Playing, client: Clients, fast: int) -> None:
    def script(connection: socket.socket, _number: int) -> None:
        read_request(connection)
        connection.sendall(WHOLE[:fast])
        trickle(connection, WHOLE[fast:])

    start = time.monotonic()
    with pytest.raises(OpaUnavailable, match=r"no answer within 0\.3 s"):
        ask(client(peer(script).url, timeout=0.3))
    assert time.monotonic() - start < 15


def test_a_peer_that_does_not_read_is_unavailable_in_time(peer: Playing, client: Clients) -> None:
    start = time.monotonic()
    with pytest.raises(OpaUnavailable, match=r"no answer within 0\.3 s"):
        client(peer(lambda *_: time.sleep(60)).url, timeout=0.3).ask("x", b'"' + b" " * (32 << 20) + b'"')
    assert time.monotonic() - start < 20


@pytest.mark.parametrize("part", [b"", WHOLE[:8], WHOLE[:60], WHOLE[:-1], CHUNKED + b"5\r\n{}"])
def test_half_an_answer_is_none(peer: Playing, client: Clients, part: bytes) -> None:
    with pytest.raises((OpaUnavailable, NotAnAnswer)):
        ask(client(peer(saying_once(part)).url))


# Kept connections --------------------------------------------------------------------------------


def test_a_connection_is_kept(peer: Playing, client: Clients) -> None:
    playing = peer(saying(WHOLE))
    asking = client(playing.url)
    for _ in range(5):
        ask(asking)
    assert playing.connections == 1


def test_a_kept_connection_that_was_closed_is_replaced(peer: Playing, client: Clients) -> None:
    playing = peer(saying_once(WHOLE))
    asking = client(playing.url)
    for _ in range(5):
        ask(asking)
    assert playing.connections == 5


def test_a_question_is_put_again_once_if_a_kept_connection_ends_under_it(
    peer: Playing, client: Clients
) -> None:
    questions: list[int] = []

    def script(connection: socket.socket, number: int) -> None:
        while read_request(connection):
            questions.append(number)
            if number == 0 and len(questions) > 1:
                return
            connection.sendall(WHOLE)

    asking = client(peer(script).url)
    ask(asking)
    ask(asking)
    assert questions == [0, 0, 1]


def test_a_question_is_not_put_again_once_an_answer_began(peer: Playing, client: Clients) -> None:
    questions: list[int] = []

    def script(connection: socket.socket, number: int) -> None:
        while read_request(connection):
            questions.append(number)
            if len(questions) > 1:
                connection.sendall(WHOLE[:40])
                return
            connection.sendall(WHOLE)

    asking = client(peer(script).url)
    ask(asking)
    with pytest.raises((OpaUnavailable, NotAnAnswer)):
        ask(asking)
    assert questions == [0, 0]


def test_a_new_connection_that_is_closed_is_not_tried_again(peer: Playing, client: Clients) -> None:
    playing = peer(saying_once(b""))
    with pytest.raises(OpaUnavailable, match="it closed the connection before it had answered"):
        ask(client(playing.url))
    assert playing.connections == 1


def test_an_answer_that_nobody_asked_for_is_not_taken_for_the_next_one(
    peer: Playing, client: Clients
) -> None:
    other = response(b'{"result":{"outcome":"deny"}}')

    def script(connection: socket.socket, number: int) -> None:
        while read_request(connection):
            connection.sendall(other)
            if number == 0:
                time.sleep(0.05)
                connection.sendall(WHOLE)

    asking = client(peer(script).url)
    assert asking.ask("x", QUESTION).result == {"outcome": "deny"}
    time.sleep(0.2)
    assert asking.ask("x", QUESTION).result == {"outcome": "deny"}


# Python 3.12 warns of forks beside threads, because of programs that did not mean to: this one does.
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_process_does_not_share_connections(peer: Playing, client: Clients) -> None:
    playing = peer(saying(WHOLE))
    asking = client(playing.url)
    ask(asking)
    program = os.fork()
    if program == 0:
        try:
            ask(asking)
        finally:
            os._exit(0)
    os.waitpid(program, 0)
    ask(asking)
    assert playing.connections == 2


def test_threads_get_their_own_answers(peer: Playing, client: Clients) -> None:
    def script(connection: socket.socket, _number: int) -> None:
        while request := read_request(connection):
            document = json.loads(request.partition(b"\r\n\r\n")[2])["input"]
            connection.sendall(response(json.dumps({"result": document}).encode()))

    asking = client(peer(script).url)
    mixed: list[object] = []

    def put(thread: int) -> None:
        for number in range(50):
            sent = {"thread": thread, "number": number}
            got = dict(asking.ask("x", json.dumps(sent).encode()).result)
            if got != sent:
                mixed.append(got)

    threads = [threading.Thread(target=put, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert mixed == []


# Tokens ------------------------------------------------------------------------------------------


def test_a_token_is_sent_and_not_shown(peer: Playing, client: Clients) -> None:
    requests: list[bytes] = []

    def script(connection: socket.socket, _number: int) -> None:
        requests.append(read_request(connection))
        connection.sendall(response(b"{}", status="401 Unauthorized"))

    with pytest.raises(NotAnAnswer) as refusal:
        ask(client(peer(script).url, token="s3cret"))
    assert b"\r\nAuthorization: Bearer s3cret\r\n" in requests[0]
    assert "s3cret" not in str(refusal.value)


@pytest.mark.parametrize("token", ["", "a\r\nX: y", "ü", "a b"])
def test_a_token_that_is_no_header_value_is_refused(token: str) -> None:
    with pytest.raises(BadConfiguration, match="characters that a header cannot carry") as refusal:
        OpaClient("http://localhost", timeout=1, token=token)
    assert not token or token not in str(refusal.value)


def test_a_deadline_from_outside_ends_a_question_before_opas_own_time(client: Clients, peer: Playing) -> None:
    asking = client(peer(lambda *_: time.sleep(60)).url, timeout=60)
    began = time.monotonic()
    with within(0.3), pytest.raises(OpaUnavailable, match=r"no answer within 0\.[0-9]+ s"):
        asking.ask("x", b"{}")
    with within(-1), pytest.raises(OpaUnavailable, match="no answer within"):
        asking.ask("x", b"{}")
    assert time.monotonic() - began < 20
