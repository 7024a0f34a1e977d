"""`mandate serve` as the process that it is: signals, certificates, several processes, an OPA lost."""

from __future__ import annotations

import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from mandate.engine.errors import BadConfiguration
from mandate.engine.service.certificates import Certificates
from tests.authority import Authority
from tests.organisation import Organisation, founded
from tests.served import (
    PATIENCE,
    allowed,
    children_of,
    decide,
    eventually,
    served,
)
from tests.service import with_callers


def test_a_signal_ends_it_after_what_was_begun_is_answered(tmp_path: Path) -> None:
    organisation = founded(tmp_path, trusting=True)
    answers: list[httpx.Response] = []
    with served(organisation) as running, running.client() as client:

        def ask() -> None:
            # A connection that was kept may be closed under a request that nobody began: what is on record
            # afterwards says which were begun.
            with suppress(httpx.TransportError):
                while True:
                    answers.append(decide(client))

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        eventually(lambda: len(answers) > 8)
        assert running.stop() == 0
        for thread in threads:
            thread.join()
    assert f'"address": "{running.url}"' in (tmp_path / "serve.log").read_text()
    assert {answer.status_code for answer in answers} == {200}
    recorded = allowed(organisation)
    assert sorted(recorded) == sorted(answer.json()["id"] for answer in answers)
    assert organisation.mandate("ledger", "verify").exit_code == 0


def test_a_service_that_nobody_may_ask_does_not_start(tmp_path: Path) -> None:
    organisation = founded(tmp_path)
    ran = organisation.mandate("serve")
    assert (ran.exit_code, ran.err) == (
        2,
        f"error: {tmp_path}/callers.yaml: there is no list of those who may call the service\n"
        "  → Write into it what `mandate token NAME --role decider` prints below the token\n",
    )


def test_an_address_that_cannot_be_is_2(tmp_path: Path) -> None:
    organisation = founded(tmp_path)
    for listen, said in (("0.0.0.0:65536", "the last port is 65535"), ("localhost", "string should match")):
        ran = organisation.mandate("serve", "--set", f"service.listen={listen}")
        assert (ran.exit_code, f"service.listen: {said}" in ran.err) == (2, True), ran.err


def test_a_service_whose_libraries_are_not_installed_says_how_to_get_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    organisation = founded(tmp_path)
    for module in ("fastapi", "prometheus_client"):
        monkeypatch.setitem(sys.modules, module, None)
    ran = organisation.mandate("serve")
    assert (ran.exit_code, ran.err) == (
        2,
        "error: the service is made with libraries that are not installed: fastapi, prometheus-client\n"
        "  → Run `pip install 'mandate[service]'`\n",
    )
    (tmp_path / "callers.yaml").write_text("[]\n")
    assert "✗ serving        the service is made with libraries that" in organisation.mandate("doctor").out


def test_several_processes_share_a_socket_and_never_fork_the_log(tmp_path: Path) -> None:
    organisation = founded(tmp_path, trusting=True)
    with served(organisation, "--workers", "2") as running:
        ids: list[str] = []

        def ask() -> None:
            for _ in range(8):
                # A connection of its own: any of the processes takes it, and one of them is killed.
                with running.client() as client, suppress(httpx.TransportError):
                    ids.append(decide(client).json()["id"])

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        children = children_of(running.process.pid)
        assert len(children) == 2
        os.kill(children[0], signal.SIGKILL)  # another takes its place
        eventually(lambda: len(set(children_of(running.process.pid)) - {children[0]}) == 2)
        for thread in threads:
            thread.join()
        with running.client() as client:
            assert decide(client).status_code == 200
        assert running.stop() == 0
    assert len(set(ids)) == len(ids) > 24
    assert set(ids) <= set(allowed(organisation))
    assert organisation.mandate("ledger", "verify").exit_code == 0


def test_certificates_change_without_a_restart_and_a_bad_one_changes_nothing(tmp_path: Path) -> None:
    organisation = founded(tmp_path, trusting=True)
    authority = Authority("authority")
    authority.issue(tmp_path, "server")
    trusted = ssl.create_default_context(cafile=str(authority.write(tmp_path / "ca.pem")))
    tls = {"certificate": "server.crt", "key": "server.key"}
    with served(organisation, verify=trusted, tls=tls) as running:
        address = ("127.0.0.1", int(running.url.rpartition(":")[2]))

        def shown() -> bytes:
            with (
                socket.create_connection(address) as plain,
                trusted.wrap_socket(plain, server_hostname="localhost") as session,
            ):
                return session.getpeercert(binary_form=True) or b""

        first = shown()
        (tmp_path / "server.key").write_text("no key")
        log = tmp_path / "serve.log"
        eventually(lambda: "the new certificate is not used" in log.read_text())
        time.sleep(2.5)
        assert log.read_text().count("the new certificate is not used") == 1
        assert shown() == first
        authority.issue(tmp_path, "server", days=30)
        eventually(lambda: shown() != first)
        with running.client(verify=trusted) as client:
            expires = next(
                float(line.split()[1])
                for line in client.get("/metrics").text.splitlines()
                if line.startswith("mandate_certificate_expires_seconds ")
            )
        assert expires > time.time() + 20 * 86400
        with pytest.raises(httpx.ConnectError), httpx.Client(base_url=running.url) as stranger:
            stranger.get("/healthz")


def test_a_key_under_a_passphrase_is_named_and_nobody_is_asked(tmp_path: Path) -> None:
    certificate, key = Authority("authority").issue(tmp_path, "server")
    locked = load_pem_private_key(key.read_bytes(), None).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")
    )
    key.write_bytes(locked)
    with pytest.raises(BadConfiguration) as refused:
        Certificates(certificate, key, None)
    assert refused.value.what == (
        "the certificate cannot be used: its key is under a passphrase, and nobody is there to be asked"
    )


def test_clients_that_keep_their_connections_do_not_hold_up_the_end(tmp_path: Path) -> None:
    """A pool reads nothing between two requests, not even that the secure connection is to be closed."""
    organisation = founded(tmp_path)
    authority = Authority("authority")
    authority.issue(tmp_path, "server")
    trusted = ssl.create_default_context(cafile=str(authority.write(tmp_path / "ca.pem")))
    tls = {"certificate": "server.crt", "key": "server.key"}
    with served(organisation, verify=trusted, tls=tls) as running, running.client(verify=trusted) as client:
        assert client.get("/healthz").status_code == 200
        began = time.monotonic()
        assert running.stop() == 0
        assert time.monotonic() - began < 8  # it has 13 s for what it is still asked


def test_a_client_certificate_says_who_calls(tmp_path: Path) -> None:
    organisation = founded(tmp_path, trusting=True)
    authority = Authority("authority")
    authority.issue(tmp_path, "server")
    known, other = authority.issue(tmp_path, "robot"), authority.issue(tmp_path, "nobody")
    forged = Authority("authority").issue(tmp_path, "forged")
    cafile = str(authority.write(tmp_path / "ca.pem"))
    tls = {"certificate": "server.crt", "key": "server.key", "client_ca": "ca.pem"}
    trusted = ssl.create_default_context(cafile=cafile)
    with served(organisation, verify=trusted, tls=tls) as running:
        (tmp_path / "callers.yaml").write_text("- {name: robot, roles: [decider], certificate: CN=robot}\n")

        def asked(pair: tuple[Path, Path] | None) -> int:
            context = ssl.create_default_context(cafile=cafile)
            if pair is not None:
                context.load_cert_chain(*pair)
            with httpx.Client(base_url=running.url, verify=context, timeout=PATIENCE) as client:
                return decide(client).status_code

        assert (asked(known), asked(other), asked(None)) == (200, 401, 401)
        with pytest.raises(httpx.TransportError):
            asked(forged)
        assert organisation.entries()[-1]["people"][0] != "decider"


def test_an_authority_that_was_withdrawn_vouches_for_nobody_any_more(tmp_path: Path) -> None:
    organisation = founded(tmp_path, trusting=True)
    first, second = Authority("first"), Authority("second")
    first.issue(tmp_path, "server")
    ours = str(first.write(tmp_path / "ours.pem"))
    first.write(tmp_path / "ca.pem")
    (tmp_path / "second").mkdir()
    old, new = first.issue(tmp_path, "decider"), second.issue(tmp_path / "second", "decider")
    tls = {"certificate": "server.crt", "key": "server.key", "client_ca": "ca.pem"}
    with served(organisation, verify=ssl.create_default_context(cafile=ours), tls=tls) as running:

        def asked(pair: tuple[Path, Path]) -> int:
            """The status; 0 if there is no connection."""
            context = ssl.create_default_context(cafile=ours)
            context.load_cert_chain(*pair)
            with httpx.Client(base_url=running.url, verify=context, timeout=PATIENCE) as client:
                try:
                    return decide(client).status_code
                except httpx.TransportError:
                    return 0

        assert (asked(old), asked(new)) == (200, 0)
        trusted = ssl.create_default_context(cafile=ours)
        trusted.load_cert_chain(*old)
        with httpx.Client(base_url=running.url, verify=trusted, timeout=PATIENCE) as kept:
            assert decide(kept).status_code == 200
            second.write(tmp_path / "ca.pem")
            eventually(lambda: asked(new) == 200)
            assert asked(old) == 0
            with pytest.raises(httpx.TransportError):
                decide(kept)


def test_settings_that_cannot_be_used_are_said_before_anything_runs(tmp_path: Path) -> None:
    organisation = with_callers(founded(tmp_path), listen="127.0.0.1:1", tls={"certificate": "a", "key": "b"})
    ran = organisation.mandate("serve")
    assert (ran.exit_code, "the certificate cannot be used" in ran.err) == (2, True)
    (tmp_path / "callers.yaml").unlink()
    ran = organisation.mandate("serve")
    assert (ran.exit_code, "callers.yaml" in ran.err) == (2, True)


def test_what_there_is_nothing_to_decide_by_is_said_before_anybody_can_ask(tmp_path: Path) -> None:
    organisation = with_callers(founded(tmp_path), listen="127.0.0.1:0")
    ledger = tmp_path / ".mandate/ledger.db"
    ledger.rename(tmp_path / "aside")
    began = started(organisation)
    assert (began.returncode, began.stdout) == (3, "")
    assert re.fullmatch(r"undecided: [^\n]*ledger.db[^\n]*\n  → [^\n]*\n", began.stderr), began.stderr
    (tmp_path / "aside").rename(ledger)
    (tmp_path / "policies/thresholds").mkdir(exist_ok=True)
    (tmp_path / "policies/thresholds/fairness.yaml").write_text("demographic_parity_differenze: 1\n")
    for arguments in ((), ("--workers", "2")):
        began = started(organisation, *arguments)
        assert began.returncode == 2
        assert "demographic_parity_differenze" in began.stderr
        assert "Traceback" not in began.stderr


def started(organisation: Organisation, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mandate", "serve", *arguments]
    return subprocess.run(command, cwd=organisation.folder, capture_output=True, text=True, check=False)
