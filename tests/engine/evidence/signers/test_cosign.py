"""Whoever signed, Cosign verifies it, with the public key as Mandate writes it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from mandate.engine.evidence import bundle, keys
from mandate.engine.evidence.envelope import seal
from mandate.engine.evidence.keys import Signer
from mandate.engine.evidence.signers import signer
from mandate.engine.evidence.signers.secrets import Secrets
from tests.signing_fixtures import Agent, Token

STATEMENT = (
    b'{"_type":"https://in-toto.io/Statement/v1","predicate":{},"predicateType":"https://mandate.dev/test/v1",'
    b'"subject":[{"digest":{"sha256":"%b"},"name":"models:/credit/3"}]}' % (b"ab" * 32)
)


def of_file(passphrase: str) -> Callable[[pytest.FixtureRequest, Path], Signer]:
    def made(_: pytest.FixtureRequest, folder: Path) -> Signer:
        keys.create(folder / "signing.pem", passphrase.encode())
        secrets = Secrets(environment={"MANDATE_KEY_PASSPHRASE": passphrase})
        return signer("signing.pem", root=folder, secrets=secrets)

    return made


def of_agent(kind: str) -> Callable[[pytest.FixtureRequest, Path], Signer]:
    def made(request: pytest.FixtureRequest, folder: Path) -> Signer:
        agent: Agent = request.getfixturevalue("agent")
        agent.add(folder / "ann", kind, comment="ann")
        return signer("ssh-agent:ann")

    return made


def of_token(request: pytest.FixtureRequest, _: Path) -> Signer:
    token: Token = request.getfixturevalue("token")
    secrets = Secrets(environment={"MANDATE_KEY_PIN": token.pin})
    return signer(token.uri, public_key=token.public_key, secrets=secrets)


@pytest.mark.parametrize(
    "made",
    [of_file(""), of_file("correct horse"), of_agent("ed25519"), of_agent("ecdsa"), of_token],
    ids=["file", "file with a passphrase", "agent", "agent with P-256", "token"],
)
def test_cosign_verifies_what_it_signed(
    cosign: Path, request: pytest.FixtureRequest, tmp_path: Path, made: Callable[..., Signer]
) -> None:
    signing = made(request, tmp_path)
    (tmp_path / "bundle.json").write_bytes(bundle.export(seal(STATEMENT, signing)))
    (tmp_path / "key.pub").write_bytes(signing.public_key.pem)
    command = [str(cosign), "verify-blob-attestation", "--key", "key.pub", "--bundle", "bundle.json"]
    said = subprocess.run(
        [*command, "--type", "https://mandate.dev/test/v1", "--insecure-ignore-tlog", "--check-claims=false"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={"HOME": str(tmp_path), "HTTPS_PROXY": "http://127.0.0.1:9", "PATH": os.environ["PATH"]},
    )
    assert (said.returncode, said.stderr.splitlines()[-1]) == (0, "Verified OK")
