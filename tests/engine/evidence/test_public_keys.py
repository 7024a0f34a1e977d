from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import given, settings
from hypothesis import strategies as st

from mandate.engine.errors import BadConfiguration
from mandate.engine.evidence import keys, public_keys
from mandate.engine.evidence.keys import SigningKey
from mandate.engine.evidence.public_keys import PublicKey


def test_ed25519_verifies_only_its_own_signature(signer: SigningKey, tmp_path: Path) -> None:
    other = keys.create(tmp_path / "other.pem")
    signature = signer.sign(b"data")
    assert signer.public_key.verifies(signature, b"data")
    assert not signer.public_key.verifies(signature, b"date")
    assert not signer.public_key.verifies(b"", b"data")
    assert not other.public_key.verifies(signature, b"data")


def test_p256_verifies_only_its_own_signature(tmp_path: Path) -> None:
    private = generate_private_key(SECP256R1())
    (tmp_path / "kms.pub").write_bytes(PublicKey.of(private.public_key()).pem)
    public = public_keys.load(tmp_path / "kms.pub")
    signature = private.sign(b"data", ECDSA(SHA256()))
    assert public.verifies(signature, b"data")
    assert not public.verifies(signature, b"date")
    assert not public.verifies(b"\x00" * 64, b"data")


def test_folder_gives_all_its_public_keys(tmp_path: Path) -> None:
    first, second = keys.create(tmp_path / "2025.pem"), keys.create(tmp_path / "2026.pem")
    assert public_keys.load_folder(tmp_path) == {
        first.keyid: first.public_key,
        second.keyid: second.public_key,
    }


def test_folder_without_a_key_verifies_nothing(tmp_path: Path) -> None:
    with pytest.raises(BadConfiguration, match="no signature can be verified"):
        public_keys.load_folder(tmp_path)


def test_private_key_is_no_public_key(tmp_path: Path) -> None:
    keys.create(tmp_path / "signing.pem")
    with pytest.raises(BadConfiguration, match="this is no public key"):
        public_keys.load(tmp_path / "signing.pem")


def test_missing_public_key_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadConfiguration) as error:
        public_keys.load(tmp_path / "gone.pub")
    assert error.value.where == str(tmp_path / "gone.pub")


@pytest.fixture
def p256() -> PublicKey:
    return PublicKey.of(generate_private_key(SECP256R1()).public_key())


def test_line_of_ssh_is_read_with_and_without_a_comment(signer: SigningKey, p256: PublicKey) -> None:
    for key in (signer.public_key, p256):
        for rest in ("", " ann@bank.example", " ann at the bank", "\n"):
            assert PublicKey.from_ssh(key.ssh + rest) == key


def test_line_is_what_ssh_keygen_writes(tmp_path: Path) -> None:
    for kind, algorithm in (("ed25519", "Ed25519"), ("ecdsa", "ECDSA P-256")):
        file = tmp_path / kind
        subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", "ann", "-f", file], check=True)
        line = file.with_suffix(".pub").read_text()
        key = PublicKey.from_ssh(line)
        assert (key.algorithm, f"{key.ssh} ann\n") == (algorithm, line)
        assert public_keys.load(file.with_suffix(".pub")) == key


SSH = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIK0wmN/Cr3JXqmLW7u+g9pTh+wyqDHpSQEIQczXkVx9q"


@pytest.mark.parametrize(
    "line",
    [
        "",
        "ssh-ed25519",
        "ssh-ed25519 ",
        f'command="true" {SSH}',
        f" {SSH}",
        SSH.replace(" ", "\t"),
        SSH.replace(" ", "  "),
        f"{SSH}\n{SSH}",
        f"{SSH} ann\x1b[2J",
        f"{SSH} ann\rbob",
        SSH[:-1],
        SSH[:-2],
        SSH + "AAAA",
        SSH.replace("ssh-ed25519 ", "ecdsa-sha2-nistp256 "),
        SSH.replace("AAAAC3", "AAAAC4"),
        SSH[:-1] + "=",
        SSH[:30] + "é" + SSH[31:],
        SSH[:30] + "!" + SSH[30:],
        "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQC7",
        "sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAIA==",
    ],
)
def test_what_is_no_line_of_ssh_is_refused(line: str) -> None:
    PublicKey.from_ssh(SSH)
    with pytest.raises(ValueError, match="SSH public key"):
        PublicKey.from_ssh(line)


@settings(deadline=None)
@given(st.text())
def test_any_other_text_is_refused_as_a_value_error(line: str) -> None:
    with pytest.raises(ValueError, match="SSH public key"):
        PublicKey.from_ssh(line)
    with pytest.raises(ValueError, match="SSH public key"):
        PublicKey.from_ssh(f"ssh-ed25519 {line}")


def test_file_with_a_damaged_line_of_ssh_is_no_public_key(tmp_path: Path) -> None:
    (tmp_path / "ann.pub").write_bytes(SSH.encode() + b"\xff")
    with pytest.raises(BadConfiguration, match="this is no public key"):
        public_keys.load(tmp_path / "ann.pub")
