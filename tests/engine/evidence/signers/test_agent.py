from __future__ import annotations

import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mandate.engine.errors import BadConfiguration, NotRecorded
from mandate.engine.evidence.keys import Signer
from mandate.engine.evidence.public_keys import PublicKey
from mandate.engine.evidence.signers import signer
from tests.signing_fixtures import Agent


def test_a_key_signs_that_is_named_by_its_fingerprint_or_its_comment(agent: Agent, tmp_path: Path) -> None:
    ann = PublicKey.from_ssh(agent.add(tmp_path / "ann", comment="ann"))
    agent.add(tmp_path / "bob", comment="bob")
    for uri in (f"ssh-agent:{ann.keyid}", "ssh-agent:ann"):
        found = signer(uri)
        assert found.public_key == ann
        assert ann.verifies(found.sign(b"data"), b"data")
        assert len(found.sign(b"data")) == 64


def test_a_p256_key_signs_in_der(agent: Agent, tmp_path: Path) -> None:
    ann = PublicKey.from_ssh(agent.add(tmp_path / "ann", "ecdsa", comment="ann"))
    found = signer("ssh-agent:ann")
    for n in range(20):  # numbers of every length
        assert ann.verifies(found.sign(b"%d" % n), b"%d" % n)


def test_the_only_ed25519_key_needs_no_name(agent: Agent, tmp_path: Path) -> None:
    for kind in ("ecdsa", "rsa"):
        agent.add(tmp_path / kind, kind)
    ann = PublicKey.from_ssh(agent.add(tmp_path / "ann"))
    assert signer("ssh-agent:").public_key == ann


def test_two_keys_are_never_guessed_between(agent: Agent, tmp_path: Path) -> None:
    lines = [agent.add(tmp_path / name, comment="ann\u202e") for name in "ab"]
    keys = [PublicKey.from_ssh(line.removesuffix(" ann\u202e\n")) for line in lines]
    listed = ", ".join(f"{key.keyid} (ann\\u202e)" for key in keys)
    for uri, whose in (("ssh-agent:", "Ed25519 key"), ("ssh-agent:ann\u202e", "key ann\\u202e")):
        with pytest.raises(BadConfiguration) as error:
            signer(uri)
        assert str(error.value) == (
            f"the ssh-agent has more than one {whose}: {listed}."
            " Name one by its fingerprint: ssh-agent:SHA256:…."
        )


def test_an_agent_without_the_key_says_which_it_has(agent: Agent, tmp_path: Path) -> None:
    with pytest.raises(BadConfiguration) as error:
        signer("ssh-agent:")
    assert error.value.what == "the ssh-agent has no Ed25519 key; it has none that can sign evidence"
    ann = PublicKey.from_ssh(agent.add(tmp_path / "ann", comment="ann"))
    with pytest.raises(BadConfiguration) as error:
        signer("ssh-agent:SHA256:x")
    assert str(error.value) == (
        f"the ssh-agent does not have the key SHA256:x; it has {ann.keyid} (ann)."
        " Add the key (`ssh-add FILE`), or unlock the agent (`ssh-add -X`)."
    )


def test_certificates_and_other_kinds_of_keys_are_left_alone(agent: Agent, tmp_path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "ca"], check=True)
    agent.add(tmp_path / "rsa", "rsa")
    ann = PublicKey.from_ssh(agent.add(tmp_path / "ann"))
    sign = ["ssh-keygen", "-q", "-s", f"{tmp_path}/ca", "-I", "ann", "-n", "ann", f"{tmp_path}/ann.pub"]
    subprocess.run(sign, check=True)
    agent.run("ssh-add", "-q", tmp_path / "ann")  # with its certificate this time
    assert signer("ssh-agent:").public_key == ann


def test_no_agent_is_a_matter_of_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    with pytest.raises(BadConfiguration, match="there is no ssh-agent"):
        signer("ssh-agent:")


def test_an_agent_that_is_gone_gives_no_signature(agent: Agent, tmp_path: Path) -> None:
    agent.add(tmp_path / "ann")
    found = signer("ssh-agent:")
    agent.process.kill()
    agent.process.wait()
    for ask in (lambda: found.sign(b"data"), lambda: signer("ssh-agent:")):
        with pytest.raises(NotRecorded, match="the ssh-agent does not answer: Connection refused"):
            ask()
    agent.socket.unlink()
    with pytest.raises(NotRecorded, match="the ssh-agent does not answer: No such file or directory"):
        found.sign(b"data")


def test_a_key_that_was_taken_away_gives_no_signature(agent: Agent, tmp_path: Path) -> None:
    agent.add(tmp_path / "ann")
    found = signer("ssh-agent:")
    agent.run("ssh-add", "-q", "-D")
    with pytest.raises(NotRecorded, match="the ssh-agent refuses to sign"):
        found.sign(b"data")


def test_a_locked_agent_shows_no_key(agent: Agent, tmp_path: Path) -> None:
    agent.add(tmp_path / "ann")
    lock = ["setsid", "-w", "ssh-add", "-x"]
    (tmp_path / "asked").write_text("#!/bin/sh\necho secret\n")
    (tmp_path / "asked").chmod(0o700)
    agent.run("env", f"SSH_ASKPASS={tmp_path}/asked", "SSH_ASKPASS_REQUIRE=force", *lock)
    with pytest.raises(BadConfiguration, match="unlock the agent"):
        signer("ssh-agent:")


def test_more_than_an_agent_takes_is_not_sent(agent: Agent, tmp_path: Path) -> None:
    ann = PublicKey.from_ssh(agent.add(tmp_path / "ann"))
    found = signer("ssh-agent:")
    most = b"x" * (256 * 1024 - 100)
    assert ann.verifies(found.sign(most), most)
    with pytest.raises(NotRecorded, match="an ssh-agent signs no more than 262144 bytes at once"):
        found.sign(b"x" * 256 * 1024)


SSH = bytes.fromhex("0000000b7373682d6564323535313900000020") + bytes(32)


def string(data: bytes) -> bytes:
    return len(data).to_bytes(4) + data


@pytest.fixture
def impostor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[bytes], None]]:
    """Something else that listens: it says what it is told, whatever it is asked."""
    answers: list[bytes] = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SSH_AUTH_SOCK", "s")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("s")
        listening.listen()

        def serve() -> None:
            while True:
                connection, _ = listening.accept()
                with connection:
                    if not connection.recv(1 << 20):
                        return
                    connection.sendall(answers[-1])

        thread = threading.Thread(target=serve)
        thread.start()
        yield answers.append
        with socket.socket(socket.AF_UNIX) as last:
            last.connect("s")
        thread.join()


def test_what_answers_nonsense_is_no_agent(impostor: Callable[[bytes], None]) -> None:
    listed = b"\x0c" + bytes(3) + b"\x01" + string(SSH) + string(b"ann")
    impostor(string(listed))
    found: Signer = signer("ssh-agent:")
    for answer, what in {
        b"": "it hung up",
        b"\x00\x00": "it hung up",
        string(listed)[:-1]: "it hung up",
        b"\xff" * 100: "its answer is too long",
        string(b""): "refuses to sign",
        string(b"\x05"): "refuses to sign",
        string(listed + b"!"): "the ssh-agent's answer is not one",
        string(listed[:-1]): "the ssh-agent's answer is not one",
        string(b"\x0c" + b"\xff" * 4): "the ssh-agent's answer is not one",
    }.items():
        impostor(answer)
        with pytest.raises(NotRecorded, match=what):
            signer("ssh-agent:")
    for signature in (b"", string(b"x"), string(string(b"ssh-ed25519") + string(b"x") + b"!")):
        impostor(string(b"\x0e" + signature))
        with pytest.raises(NotRecorded, match="the ssh-agent's answer is not one"):
            found.sign(b"data")
